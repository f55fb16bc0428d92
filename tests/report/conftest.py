"""What the tests of the report share: a small preset with results, pictures and verdicts, made up."""

from collections.abc import Callable
from pathlib import Path

import pytest
from made_up import official, small_config, whole_config, write_everything
from support.written import Written

from regen.params.schema import Params, ReportConfig


@pytest.fixture(scope="session")
def config(params: Params) -> ReportConfig:
    """Return the configuration of a few variants of two reports on official data."""
    return official(small_config(params))


@pytest.fixture(scope="session")
def standins(params: Params) -> ReportConfig:
    """Return the same on stand-in images."""
    return small_config(params)


@pytest.fixture
def root(config: ReportConfig, tmp_path: Path) -> Path:
    """Return a folder in which everything was run."""
    return write_everything(tmp_path, config)


@pytest.fixture(scope="session")
def report_config(params: Params) -> Callable[[str], ReportConfig]:
    """Return a maker of the whole configuration of a preset, one seed each."""
    return lambda preset: whole_config(params, preset)


@pytest.fixture(scope="session")
def paper(params: Params) -> ReportConfig:
    """Return the whole configuration of the paper preset, one seed each."""
    return whole_config(params, "paper")


@pytest.fixture
def written(paper: ReportConfig, tmp_path: Path) -> Written:
    """Return an empty folder of the paper preset's results."""
    return Written(paper, tmp_path)
