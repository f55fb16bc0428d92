"""Evaluate one trained variant: metrics.json (scalars of the test images) and details.json (tables)."""

from pathlib import Path

from regen.common.determinism import make_deterministic
from regen.common.device import resolve_device
from regen.common.files import write_json
from regen.config.base import load
from regen.config.variant import EvaluateConfig
from regen.evaluation.held_out.evaluate import evaluate
from regen.evaluation.restore import restore
from regen.images.batches import images_of
from regen.images.prepare import prepare
from regen.provenance import recorded


def main(preset: str, variant: str, seed: str) -> None:
    """Read the final weights; write results/<preset>/<variant>/<seed>/."""
    config = load(EvaluateConfig, Path("configs", preset, f"{variant}.evaluate.json"))
    make_deterministic(config.threads)
    device = resolve_device(config.device)
    place = Path(preset, variant, seed)
    files = [Path("results", place, name) for name in ("metrics.json", "details.json")]
    with recorded(Path("logs", place, "evaluate.json"), files, device=device.type, threads=config.threads):
        model, note = restore(config.model, config.shape, Path("models", place, "final.safetensors"))
        data = Path("data", preset, config.dataset)
        images = {split: prepare(images_of(data, split), config.images, split).to(device) for split in ("train", "validation", "test")}
        metrics, details = evaluate(config, int(seed), model.to(device), images)
        # Of a training that stopped there.
        stopped = {name: value for name, value in note.items() if name == "non_finite_step"}
        for file, values in zip(files, ({**metrics, **stopped}, details), strict=True):
            write_json(file, values)
