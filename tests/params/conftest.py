"""What the tests of the parameters share: the stage that reads them, in a folder of its own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from altered import PRESET, write_params
from support.stages import call_stage


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return a caller of stages/configure.py in a folder of its own: params.yaml, studies/ and preset.yaml in, configs/ out."""
    monkeypatch.chdir(tmp_path)

    def call(params: Any, preset: Any = PRESET) -> Path:
        for name, content in (("params.yaml", params), ("preset.yaml", preset)):
            if isinstance(content, str | bytes):
                Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
        if isinstance(params, dict):
            write_params(tmp_path, params)
        else:
            Path("studies").mkdir()
        if isinstance(preset, dict):
            Path("preset.yaml").write_text(json.dumps(preset))
        call_stage("configure", "preset.yaml")
        return tmp_path / "configs"

    return call
