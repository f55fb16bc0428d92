"""Measure the samples of one trained variant: quality.json (scalars) and quality_details.json (tables)."""

from pathlib import Path

from regen.common.determinism import make_deterministic
from regen.common.device import resolve_device
from regen.common.files import write_json
from regen.config.base import load
from regen.config.features import QualityConfig
from regen.evaluation.quality.features import FeatureSpace
from regen.evaluation.quality.quality import quality
from regen.evaluation.restore import moment, restore, snapshots
from regen.images.prepare import judged_images
from regen.provenance import recorded


def main(preset: str, variant: str, seed: str) -> None:
    """Read the weights and the data set's feature space; write results/<preset>/<variant>/<seed>/."""
    config = load(QualityConfig, Path("configs", preset, f"{variant}.quality.json"))
    make_deterministic(config.threads)
    device = resolve_device(config.device)
    place = Path(preset, variant, seed)
    files = [Path("results", place, name) for name in ("quality.json", "quality_details.json")]
    with recorded(Path("logs", place, "quality.json"), files, device=device.type, threads=config.threads):
        weights = Path("models", place)
        model, _ = restore(config.model, config.shape, weights / "final.safetensors")
        followed = [restore(config.model, config.shape, path) for path in snapshots(weights)]
        data = Path("data", preset, config.dataset)
        images = {name: values.to(device) for name, values in judged_images(config, data).items()}
        space = FeatureSpace.read(Path("features", preset, config.dataset, "network.safetensors"), device)
        moments = {moment(note): snapshot.to(device) for snapshot, note in followed}
        metrics, details = quality(config, int(seed), model.to(device), moments, images, space)
        for file, values in zip(files, (metrics, details), strict=True):
            write_json(file, values)
