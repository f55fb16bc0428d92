"""A small repository for each test that asks for one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy import Toy


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], Toy]:
    return lambda stages: Toy(tmp_path / "toy", monkeypatch, stages)
