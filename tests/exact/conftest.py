"""What the exact tests share: a training objective by its configuration alone."""

from collections.abc import Callable
from typing import Any

import pytest
from torch import nn

from regen.config.base import parse
from regen.config.training import Training
from regen.training.objectives import objective_of

MakeObjective = Callable[..., nn.Module]


@pytest.fixture
def make_objective() -> MakeObjective:
    """Return a maker of objectives: the keys of `training.objective`."""

    def make(kind: str, **choices: Any) -> nn.Module:
        schedule = {"optimizer": "adam", "learning_rate": 0.1, "batch_size": 1, "epochs": 1, "snapshot_epochs": []}
        return objective_of(parse(Training, {"objective": {"kind": kind, **choices}, **schedule}, "test"))

    return make
