"""What the tests of the report share: the pipeline's files, made up."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from forms import family_of
from PIL import Image

from regen.config.base import parse
from regen.params.resolve import resolve
from regen.params.schema import Params, PresetFile, ReportConfig

Make = Callable[..., Path]

SHARED = {"n_images": 100, "data_source": "stand-in"}
LIKELIHOOD = {"bits_per_dim": 0.21875, "nll_nats": 118.875, "nll_nats_low": 110.5, "nll_nats_high": 127.25}
WEIGHTS = {"ess_mean": 12.34, "ess_min": 1.5, "max_weight_mean": 0.3}
ALONE = dict.fromkeys(WEIGHTS, 1.0)
"""What the weights of one sample are."""
TERMS = {
    "vae": {"neg_elbo_nats": 123.456, "recon_nats": 100.25, "kl_nats": 23.206, "mse_per_pixel": 0.0123456},
    "flow": {},
    "autoencoder": {"recon_nats": 100.25, "mse_per_pixel": 0.0123456},
    "gan": {"discriminator_nats": 1.375, "accuracy_real": 0.875, "accuracy_fake": 0.625},
    "critic": {"critic": -2.125},
    "classifier": {"cross_entropy_nats": 0.34567, "accuracy": 0.89},
}
MEASURES: dict[str, dict[str, Any]] = {
    "vae": {**LIKELIHOOD, **WEIGHTS, "importance_samples": 50},
    "flow": {**LIKELIHOOD, "importance_samples": 1, "nll_kind": "probability"},
    "autoencoder": {"gmm_log_likelihood_nats": -3.3857, "nll_kind": "not defined"},
    "gan": {},
    "critic": {},
    "classifier": {},
}
"""What the metrics of each family hold, as the evaluation writes them; a GAN may have a critic."""

KINDS = {"bernoulli": "unnormalised", "gaussian": "density"}
COLUMNS = {name: tuple(terms) or ("nll_nats",) for name, terms in TERMS.items()}


def history(epochs: int, start: float, columns: tuple[str, ...]) -> str:
    """Return a history in which every column falls by 1 an epoch, each from a start of its own."""
    names = [f"{split}_{name}" for split in ("train", "val") for name in columns if (split, name) != ("train", "mse_per_pixel")]
    rows = [[epoch, 10 * epoch, *(start + 1000 * index - epoch for index in range(len(names)))] for epoch in range(1, epochs + 1)]
    return "\n".join(",".join(map(str, row)) for row in [["epoch", "step", *names], *rows]) + "\n"


def details(start: float, nll: float, family: str) -> dict[str, Any]:
    """Return tables: every term `start` on every split; -log p(x) for two numbers of samples, `nll` and 5 below it, a flow's once."""
    splits = [{"split": split, "n_images": 100, **dict.fromkeys(COLUMNS[family], start)} for split in ("train", "validation", "test")]
    if family not in ("vae", "flow"):
        return {"splits": splits}
    row = {"n_images": 100, "bits_per_dim": 0.21875}
    values = [(1, nll, ALONE), (50, nll - 5, WEIGHTS)] if family == "vae" else [(1, nll, {})]
    likelihood = [
        {**row, **weights, "importance_samples": k, "nll_nats": x, "nll_nats_low": x - 2, "nll_nats_high": x + 3}
        for k, x, weights in values
    ]
    return {"splits": splits, "likelihood": likelihood}


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))


@pytest.fixture
def report_config(params: Params) -> Callable[..., ReportConfig]:
    def make(preset: str, seeds: int = 1) -> ReportConfig:
        every = {name: list(range(seeds)) for name in params.variants}
        chosen = PresetFile(preset=preset, root=".", file="preset.yaml", seeds=every)
        return parse(ReportConfig, resolve(params, chosen)["report.json"].model_dump(), "test")

    return make


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a maker of results, figures and data cards for every variant but those `without` results."""

    def call(config: ReportConfig, epochs: int = 8, without: tuple[str, ...] = (), figures: bool = True) -> Path:
        for number, (name, variant) in enumerate(config.variants.items()):
            for seed in () if name in without else config.variants[name].seeds:
                folder = tmp_path / "results" / config.preset / name / str(seed)
                family = family_of(variant)
                metrics = {**SHARED, **TERMS[family], **MEASURES[family]}
                if variant.model.family == "vae":
                    kind = "probability" if variant.dataset == "binarized_mnist" else KINDS[variant.model.likelihood.kind]
                    metrics |= {"neg_elbo_nats": 123.456 + number + 10 * seed, "nll_kind": kind}
                write(folder / "metrics.json", metrics)
                write(folder / "history.csv", history(epochs, 500 + 10 * seed, COLUMNS[family]))
                write(folder / "details.json", details(0.5 + seed, 118.875 + number + 10 * seed, family))
            card = {"dataset": variant.dataset, "data_source": variant.data_source, "description": f"made-up {variant.dataset}"}
            card |= {"counts": {"train": 1000, "validation": 200, "test": 100}, "shape": [1, 28, 28], "mean": 0.13}
            write(tmp_path / "results" / config.preset / "data" / f"{variant.dataset}.json", {**card, "checksum_state": "generated"})
        for report in config.reports if figures else ():
            names = [name for name, variant in config.variants.items() if variant.report == report and name not in without]
            for name in names:
                folder = tmp_path / "reports" / config.preset / "figures" / name
                entry = {"file": "means.png", "kind": "means", "title": "Means", "caption": f"Of <{name}>."}
                write(folder / "index.json", [{**entry, "description": 'A "grid" of tiles.'}])
                Image.new("L", (4, 3), 128).save(folder / "means.png")
        return tmp_path

    return call
