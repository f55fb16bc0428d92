"""What the tests of the parameters share: the stage that reads them, in a folder of its own."""

import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from altered import PRESET, ROOT


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return a caller of stages/configure.py in a folder of its own: contents of params.yaml and preset.yaml in, configs/ out."""
    monkeypatch.chdir(tmp_path)

    def call(params: Any, preset: Any = PRESET) -> Path:
        for name, content in (("params.yaml", params), ("preset.yaml", preset)):
            if content is not None:
                # JSON is YAML without anchors.
                text = content if isinstance(content, str | bytes) else json.dumps(content).replace("NaN", ".nan")
                Path(name).write_bytes(text.encode() if isinstance(text, str) else text)
        monkeypatch.setattr(sys, "argv", ["stages", "configure", "preset.yaml"])
        runpy.run_path(str(ROOT / "stages/__main__.py"), run_name="__main__")
        return tmp_path / "configs"

    return call
