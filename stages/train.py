"""Train one variant with one seed: weights at its snapshots and at the end, and its history."""

import shutil
from pathlib import Path

from regen.common.determinism import make_deterministic
from regen.common.device import resolve_device
from regen.common.files import write_csv, write_tensors
from regen.config.base import load
from regen.config.variant import TrainConfig
from regen.images.prepare import training_images
from regen.provenance import recorded
from regen.training.loop import FINITE, train


def main(preset: str, variant: str, seed: str) -> None:
    """Write models/ and history.csv; the checkpoint of an interrupted run stays in checkpoints/."""
    config = load(TrainConfig, Path("configs", preset, f"{variant}.train.json"))
    make_deterministic(config.compute.threads)
    device = resolve_device(config.compute.device)
    place = Path(preset, variant, seed)
    code = Path("configs", preset, "code", "train.txt").read_text(encoding="utf-8")
    data = Path("data", preset, config.dataset)
    images = training_images(config, data)
    weights, curves = Path("models", place, "final.safetensors"), Path("results", place, "history.csv")
    with recorded(Path("logs", place, "train.json"), [weights, curves], device=device.type, threads=config.compute.threads) as facts:
        model, history = train(config, int(seed), images, Path("checkpoints", place), device, code)
        facts["epochs"] = len(history)
        for snapshot in sorted(Path("checkpoints", place).glob("*-*.safetensors")):
            weights.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(snapshot, weights.with_name(snapshot.name))
        note = {"epoch": config.training.epochs}
        if not history[-1].get(FINITE, 1):
            note = {"epoch": len(history) - 1, "non_finite_step": int(history[-1]["step"]) + 1}
        write_tensors(weights, model.state_dict(), note)
        write_csv(curves, history)
    # A run shorter than the time between two checkpoints, without snapshots, has none.
    shutil.rmtree(Path("checkpoints", place), ignore_errors=True)
