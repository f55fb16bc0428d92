"""Training, validation and test splits, their files and their data card."""

from pathlib import Path
from typing import Any

import torch

from regen.common.determinism import derive_seed
from regen.common.errors import UserError
from regen.common.files import write_tensors
from regen.data.floors import floors
from regen.images.images import Images
from regen.params.schema import DataConfig

__all__ = ["SPLITS", "card", "split", "write"]

SPLITS = ("train", "validation", "test")

TITLES = {
    "mnist": "MNIST",
    "binarized_mnist": "MNIST in Larochelle's fixed binarisation",
    "svhn": "SVHN",
    "celeba": "CelebA (whole aligned frame squashed to {size})",
}

OFFICIAL = {"celeba": "the first images of each official partition"}

STANDINS = {
    "mnist": "8x8 digits of scikit-learn, enlarged and varied",
    "binarized_mnist": "8x8 digits of scikit-learn, enlarged, varied and binarised",
    "svhn": "8x8 digits of scikit-learn in colour on crops of two photographs",
    "celeba": "drawn faces",
}


def split(config: DataConfig, sets: dict[str, Images]) -> dict[str, Images]:
    """Return `train`, `validation` and `test`, each at most `config.max_images` long.

    Where the source has no validation set, a seeded permutation of `train` cuts one off: the sizes of
    `config.split` at full size, the same proportions below it. So are a user's own images cut where they have no test set, and a set that
    they have is permuted: a limit takes its first images, which may be those of one class.

    Raises
    ------
    UserError
        If an official source or a user's own has other counts than `config.split`, or a split is empty.
    """
    if config.status == "own":
        sets = {name: _permuted(config, name, images) for name, images in sets.items()}
    undivided = sets.get("all", sets.get("train"))
    assert undivided is not None
    if "test" not in sets and "validation" in sets:
        raise UserError(f"{config.dataset}: expected test images beside the validation images, got none; give both or neither")
    if "test" not in sets:
        sets = _cut(config, undivided, SPLITS)
    elif "validation" not in sets:
        sets = {**_cut(config, undivided, SPLITS[:2]), "test": sets["test"]}
    for name in SPLITS:
        count, full = len(sets[name]), getattr(config.split, name)
        where = f"{config.dataset} (source '{config.source}')"
        if config.status in ("official", "own") and count != full:
            raise UserError(f"{where}: expected {full} {name} images, got {count}; correct datasets.{config.dataset}.split in params.yaml")
        if count == 0:
            raise UserError(f"{where}: expected {name} images, got none; choose a larger source in params.yaml")
    if config.max_images is None:
        return {name: sets[name] for name in SPLITS}
    return {name: sets[name].take(slice(getattr(config.max_images, name))) for name in SPLITS}


def _cut(config: DataConfig, images: Images, names: tuple[str, ...]) -> dict[str, Images]:
    """Permute the images with the split's own seed and divide them; those of `train` come first."""
    generator = torch.Generator().manual_seed(derive_seed(config.seed, "split", config.dataset))
    order = torch.randperm(len(images), generator=generator)
    declared = [getattr(config.split, name) for name in names]
    rest = [round(len(images) * count / sum(declared)) for count in declared[1:]]
    parts = order.split([len(images) - sum(rest), *rest])
    return {name: images.take(part) for name, part in zip(names, parts, strict=True)}


def _permuted(config: DataConfig, name: str, images: Images) -> Images:
    generator = torch.Generator().manual_seed(derive_seed(config.seed, "order", config.dataset, name))
    return images.take(torch.randperm(len(images), generator=generator))


def card(config: DataConfig, splits: dict[str, Images]) -> dict[str, Any]:
    """Return the data card: what the images are, where they come from and how many there are.

    `counts` are the images that there are, `declared` those that the reports use; `mean` is the mean of all training pixels in [0, 1];
    `floors` are the rows of `regen.data.floors.floors`; `description` is one line for a report.
    """
    training = splits["train"].images
    counts = {name: len(images) for name, images in splits.items()}
    checksum_state = {"official": "official", "subset": "mirror", "grey": "mirror", "stand-in": "generated", "own": "own"}
    return {
        "dataset": config.dataset,
        "source": config.source,
        "data_source": config.status,
        "checksum_state": checksum_state[config.status],
        "counts": counts,
        "declared": config.split.model_dump(),
        "shape": config.shape,
        "values": config.values,
        # Summed as integers: exact, so the same on every machine.
        "mean": int(training.sum(dtype=torch.int64)) / (255 * training.numel()),
        "floors": floors(config, splits),
        "label_names": splits["train"].label_names,
        "files": config.files,
        "description": _description(config, counts),
    }


def _description(config: DataConfig, counts: dict[str, int]) -> str:
    """Say in one line what the images are; never call part of a data set by the name of the whole."""
    title = TITLES.get(config.kind, "").format(size="x".join(map(str, config.shape[1:])))
    what = {
        "official": f"{title}, {OFFICIAL.get(config.kind, 'official files')}",
        "subset": f"a subset of {title}",
        "grey": f"{title} digits cropped again in grey: not the official pixels, not comparable with published {title} numbers",
        "own": f"the user's own images '{config.dataset}', of no published data set",
        "stand-in": f"an embedded stand-in, not {title.partition(' (')[0]}: {STANDINS.get(config.kind)}",
    }[config.status]
    limited = config.max_images is not None and any(getattr(config.max_images, name) == count for name, count in counts.items())
    numbers = f"{counts['train']:,} training, {counts['validation']:,} validation and {counts['test']:,} test images"
    return f"{what}; {numbers}{', limited by the preset' if limited else ''}"


def write(splits: dict[str, Images], folder: Path) -> None:
    """Write `folder/{train,validation,test}.safetensors` with `images` uint8 (N, C, H, W) and `labels`."""
    for name, images in splits.items():
        write_tensors(folder / f"{name}.safetensors", {"images": images.images, "labels": images.labels})
