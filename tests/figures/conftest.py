"""What the tests of the figures share: variants of params.yaml with narrow networks, and the files that figures are made of."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.common.files import write_tensors
from regen.config.base import parse
from regen.models.build import build
from regen.params.resolve import resolve
from regen.params.schema import Params, PresetFile, ReportConfig


@pytest.fixture(scope="session")
def small(params: Params) -> Callable[..., ReportConfig]:
    """Return a maker of the report's configuration with these variants alone, four units wide, of the seeds 0 and 2."""

    def call(*names: str) -> ReportConfig:
        chosen = PresetFile(preset="quick", root=".", file="preset.yaml", seeds={dataset: [0, 2] for dataset in params.variants})
        values = resolve(params, chosen)["report.json"].model_dump()
        values["variants"] = {name: values["variants"][name] for name in names}
        for source in values["reports"].values():
            source["figures"] = []
        for variant in values["variants"].values():
            model = variant["model"]
            for section in (model.get(name) for name in ("network", "flow", "generator", "discriminator")):
                if section is not None and "hidden" in section:
                    section["hidden"] = [4]
        return parse(ReportConfig, values, "test")

    return call


@pytest.fixture(scope="session")
def make() -> Callable[..., Path]:
    """Return a maker of one variant's results, untrained weights and test images, labelled 0 to 9; MNIST's are 1x28x28.

    Snapshots are at these epochs of the report and, behind them, at these steps, 8 steps apart in a run of 16.
    """

    def call(
        root: Path,
        config: ReportConfig,
        name: str,
        history: str,
        seeds: tuple[int, ...] = (0,),
        epochs: tuple[int, ...] = (0, 1, 40),
        steps: tuple[int, ...] = (),
        details: dict[str, Any] | None = None,
    ) -> Path:
        variant = config.variants[name]
        for seed in seeds:
            results, folder = root / f"results/quick/{name}/{seed}", root / f"models/quick/{name}/{seed}"
            results.mkdir(parents=True)
            (results / "metrics.json").write_text("{}")
            (results / "details.json").write_text(json.dumps(details or {}))
            (results / "history.csv").write_text(history.replace("150.125", str(150.125 + seed)))
            notes = [(f"epoch-{epoch:03d}", {"epoch": epoch}) for epoch in epochs]
            notes += [(f"step-{step:06d}", {"report_step": step}) for step in steps]
            for index, (file, note) in enumerate(notes):
                torch.manual_seed(index)
                weights = build(variant.model, variant.shape).state_dict()
                write_tensors(folder / f"{file}.safetensors", weights, {**note, "step": 8 * index, "steps": 16})
            torch.manual_seed(len(notes))
            write_tensors(folder / "final.safetensors", build(variant.model, variant.shape).state_dict(), {"epoch": 40})
        shape = [1, 28, 28] if variant.dataset == "mnist" else variant.shape
        pixels = torch.randint(0, 256, (15, *shape), generator=torch.Generator().manual_seed(3), dtype=torch.int16)
        test = {"images": pixels.to(torch.uint8), "labels": torch.arange(15) % 10}
        write_tensors(root / f"data/quick/{variant.dataset}/test.safetensors", test)
        return root

    return call
