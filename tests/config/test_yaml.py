"""What YAML itself would let pass."""

from pathlib import Path

import pytest

from regen.config.resolve import read_params
from regen.errors import UserError

ROOT = Path(__file__).parents[2]


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text()
    path = tmp_path / "params.yaml"
    path.write_text(text.replace("seed: 0 #", "seed: 1\nseed: 0 #", 1))
    with pytest.raises(UserError, match=r"params.yaml: expected YAML, got 'the key 'seed' stands twice in [^\n]*line 4[^\n]*$"):
        read_params(path)
