"""Make the feature space of one data set: features/<preset>/<dataset>/network.safetensors and results/<preset>/features/<dataset>.json."""

import shutil
from pathlib import Path

from regen.common.determinism import derive_seed, make_deterministic
from regen.common.device import resolve_device
from regen.common.files import write_json, write_tensors
from regen.config.base import load
from regen.config.features import FeaturesConfig
from regen.evaluation.quality.learn import account, labeller, train_features
from regen.evaluation.quality.measures import Reference
from regen.images.batches import images_of
from regen.images.prepare import prepare
from regen.provenance import recorded


def main(preset: str, dataset: str) -> None:
    """Train the network on the labels there are; measure it, and the training images by it."""
    config = load(FeaturesConfig, Path("configs", preset, f"{dataset}.features.json"))
    make_deterministic(config.compute.threads)
    device = resolve_device(config.compute.device)
    code = Path("configs", preset, "code", "features.txt").read_text(encoding="utf-8")
    place, data = Path("checkpoints", preset, "features", dataset), Path("data", preset)
    log, weights = Path("logs", preset, "features", dataset, "features.json"), Path("features", preset, dataset, "network.safetensors")
    card = Path("results", preset, "features", f"{dataset}.json")
    seed = derive_seed(config.seed, "features", dataset, "reference")
    with recorded(log, [weights, card], device=device.type, threads=config.compute.threads):
        labelled = {split: images_of(data / config.labels, split) for split in ("train", "validation", "test")}
        images = {split: prepare(values, config.images, split, training=split == "train") for split, values in labelled.items()}
        chosen = labeller(config, images["train"].labels)
        space = train_features(config, chosen, images, place, device, code)
        train, test = (images_of(data / dataset, split).images.to(device) for split in ("train", "test"))
        known = account(config, space, images["test"].to(device), Reference(space, train, test[: config.n_samples], seed=seed))
        write_tensors(weights, space.model.state_dict(), chosen.model_dump())
        write_json(card, known)
    shutil.rmtree(place, ignore_errors=True)
