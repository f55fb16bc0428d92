"""All tests compute as the stages do: one thread, deterministic algorithms."""

import pytest

from regen.determinism import make_deterministic


@pytest.fixture(autouse=True, scope="session")
def _deterministic() -> None:
    make_deterministic()
