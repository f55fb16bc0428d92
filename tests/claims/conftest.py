"""Fixtures of the tests of the claims."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.written import Written

from regen.params.schema import ReportConfig


@pytest.fixture(scope="session")
def paper(resolved: Callable[[str], dict[str, Any]]) -> ReportConfig:
    """Return the paper preset with four seeds for every variant."""
    config: ReportConfig = resolved("paper")["report.json"]
    variants = {name: variant.model_copy(update={"seeds": [0, 1, 2, 3]}) for name, variant in config.variants.items()}
    return config.model_copy(update={"variants": variants})


@pytest.fixture
def written(paper: ReportConfig, tmp_path: Path) -> Written:
    """Return a writer whose cards say that all images of MNIST are there."""
    found = Written(paper, tmp_path)
    found.card("mnist")
    return found
