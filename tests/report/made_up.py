"""A small preset, made up: configurations, and the files that the pipeline would have written."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from support.written import Written

from regen.config.base import parse
from regen.params.figures import ReportFigure
from regen.params.resolve import resolve
from regen.params.schema import Params, PresetFile, ReportConfig

__all__ = [
    "GAN",
    "PLANE",
    "REMEDIES",
    "TILES",
    "VAE",
    "claim",
    "claims_file",
    "details",
    "erratum",
    "official",
    "samples",
    "seeds",
    "small_config",
    "whole_config",
    "write",
    "write_everything",
]

Table = dict[str, Any]

VAE, PLANE, GAN = "uva3-vae-z20-mnist", "uva3-vae-z2-mnist", "uva3-gan-mnist"
REMEDIES = ("ext-gan-noise-mnist", "ext-wgangp-mnist", "ext-gan-dropout-mnist")
SMALL = (VAE, PLANE, GAN, *REMEDIES, "vu4a-gan-mnist", "vu4a-vae-mnist")

TILES = [[(200, 0, 0), (0, 200, 0), (0, 0, 200)], [(200, 200, 0), (0, 200, 200), (200, 0, 200)]]
"""Colours of the tiles of the made-up plane, row by row."""


def whole_config(params: Params, preset: str) -> ReportConfig:
    seeds = {dataset: [0] for dataset in params.variants}
    chosen = PresetFile(preset=preset, root=".", file="preset.yaml", seeds=seeds)
    return parse(ReportConfig, resolve(params, chosen)["report.json"].model_dump(), "test")


def small_config(params: Params) -> ReportConfig:
    """Return the variants of `SMALL` alone, with one figure of each sort."""
    config = whole_config(params, "quick")
    figures = {
        "uva3": [
            ReportFigure(number="Figure 1", title="Loss", chart={"kind": "losses"}, variants=[VAE]),
            ReportFigure(number="Figure 4", title="Plane", pictures=["manifold"], variants=[PLANE]),
            ReportFigure(number=None, title="Classes", chart={"kind": "classes"}, variants=[GAN]),
        ],
        "vu4a": [
            ReportFigure(
                number=None,
                title="Distance",
                chart={"kind": "measure", "measures": ["frechet_classifier_distance"]},
                variants=["vu4a-gan-mnist", "vu4a-vae-mnist"],
            )
        ],
    }
    reports = {name: config.reports[name].model_copy(update={"figures": own}) for name, own in figures.items()}
    return config.model_copy(update={"variants": {name: config.variants[name] for name in SMALL}, "reports": reports})


def official(config: ReportConfig) -> ReportConfig:
    variants = {name: variant.model_copy(update={"data_source": "official"}) for name, variant in config.variants.items()}
    return config.model_copy(update={"variants": variants})


def seeds(config: ReportConfig, *names: str) -> ReportConfig:
    """Return the configuration with three seeds of these variants."""
    variants = {name: one.model_copy(update={"seeds": [0, 1, 2]} if name in names else {}) for name, one in config.variants.items()}
    return config.model_copy(update={"variants": variants})


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")


def samples(distance: float, ones: int = 10) -> Table:
    counts = [10] * 10
    counts[1] = ones
    row = {"frechet_classifier_distance": distance, "recall": 0.5, "precision": 0.75, "class_counts": counts}
    return {**row, "mean_confidence": 0.9}


def details(nll: float, images: int = 40, **more: Any) -> Table:
    """Return tables of a likelihood at K = 50 on all images, and K = 500 two nats lower; image by image around the mean."""
    spread = np.linspace(-3, 3, images)
    rows = [
        {
            "importance_samples": k,
            "n_images": images,
            "nll_nats": nll - less,
            "nll_nats_low": nll - less - 1,
            "nll_nats_high": nll - less + 1,
        }
        for k, less in ((50, 0.0), (500, 2.0))
    ]
    per_image = [{"importance_samples": 500, "n_images": images, "nll_nats": (nll - 2 + spread).tolist()}]
    return {"likelihood": rows, "per_image": per_image, **more}


def claim(name: str, **changes: Any) -> Table:
    test = {
        **{"part": "", "of": "observation", "asked": "Is it above zero?", "measured": 0.695, "expected": "above 0", "unit": "nats"},
        **{"low": 0.618, "high": 0.772, "error": "3 seeds", "holds": True, "strength": "firm", "variants": [VAE]},
    }
    numbers = [
        {"name": part, "label": part, "value": value, "text": f"{value}", "unit": "nats"} for part, value in (("a", 2.5), ("b", 1.5))
    ]
    return {
        **{"id": name, "report": name.split("-")[0], "kind": "claim", "where": "Figure 1", "statement": f"Claim {name} < all | others."},
        **{"outcome": "reproduced", "sentence": "So it is.", "explanation": None, "strength": "firm", "reasons": [], "parts": []},
        **{"tests": [test], "numbers": numbers, "variants": [VAE], "seeds": {VAE: [0]}, "epochs": {}, "missing": [], "decides": []},
        **{"data": {"mnist": {"source": "official", "note": ""}}, "notes": [], "commands": ["make verify"], "figures": []},
        **{"reported": {}, **changes},
    }


def erratum(name: str, **changes: Any) -> Table:
    return {
        **{"id": name, "report": name.split("-")[0], "where": "Equation 1", "rank": "conceptual", "printed": "a < b.", "correct": "b < a."},
        **{"formulas": {"printed": None, "correct": "\\frac{1}{K}\\sum_k w_k"}, "why": "", "inference": False, "tests": [], "claims": []},
        **{"figures": [], "readings": [], **changes},
    }


def claims_file(claims: list[Table], errata: list[Table]) -> Table:
    words = {"outcome": ("reproduced", "partly", "not reproduced", "undecided"), "strength": ("firm", "indicative", "none")}
    counted = {key: {word: sum(one[key] == word for one in claims) for word in names} for key, names in words.items()}
    ranks = {rank: sum(one["rank"] == rank for one in errata) for rank in ("conceptual", "numerical", "editorial")}
    counts = {"claims": len(claims), "questions": 0, **counted, "explanation": {}, "errata": ranks}
    chance = {"firm": 1, "intervals": 2, "wrong_at_most": 0.1}
    return {"preset": "quick", "level": 0.95, "counts": counts, "chance": chance, "claims": claims, "errata": errata}


def _pictures(folder: Path) -> None:
    """Draw the plane of `TILES`, and samples of the GAN before and after training."""
    plane = Image.new("RGB", (44, 34), "white")
    for down, row in enumerate(TILES):
        for across, colour in enumerate(row):
            plane.paste(colour, (4 + 12 * across, 6 + 12 * down, 14 + 12 * across, 16 + 12 * down))
    place = {"tile_width": 10, "tile_height": 10, "pitch_x": 12, "pitch_y": 12}
    labels = {"column_labels": ["z1 = 0", "z1 = 1", "z1 = 2"], "row_labels": ["z2 = 0", "z2 = 1"]}
    grid = {"title": "Images", "left": 4, "top": 6, **place, "columns": 3, "rows": 2, **labels}
    texts = {"title": "Plane", "caption": "Six tiles.", "description": "Six tiles."}
    (folder / PLANE).mkdir(parents=True)
    plane.save(folder / PLANE / "manifold.png")
    write(folder / PLANE / "index.json", [{"file": "manifold.png", "kind": "manifold", **texts, "grids": [grid]}])
    for name in (GAN, "vu4a-gan-mnist"):
        panels = Image.new("RGB", (64, 32), (10, 10, 10))
        panels.paste((90, 10, 10), (32, 0, 64, 32))
        own = {"top": 0, "tile_width": 32, "tile_height": 32, "pitch_x": 33, "pitch_y": 33, "columns": 1, "rows": 1}
        grids = [
            {"title": title, "left": left, **own, "column_labels": [""], "row_labels": [""]}
            for title, left in (("before training", 0), ("epoch 50", 32))
        ]
        (folder / name).mkdir()
        panels.save(folder / name / "samples.png")
        write(folder / name / "index.json", [{"file": "samples.png", "kind": "samples", **texts, "grids": grids}])


def write_everything(root: Path, config: ReportConfig) -> Path:
    """Write results, pictures and verdicts of every variant, and return the root."""
    preset, written = config.preset, Written(config, root)
    for index, name in enumerate(config.variants):
        gan = config.variants[name].model.family == "gan"
        columns = ("train_discriminator_nats", "train_generator_nats", "train_accuracy_real", "train_accuracy_fake")
        if name == "ext-wgangp-mnist":
            columns = ("train_critic", "train_generator", "train_score_real", "train_score_fake")
        if not gan:
            columns = ("train_neg_elbo_nats", "val_neg_elbo_nats")
        history = {column: [100.0 - epoch + place for epoch in range(4)] for place, column in enumerate(columns)}
        written.history(name, **history)
        written.rows(name, {"samples": samples(60.0 - 5 * index), "before training": samples(900.0), "test images": samples(0.0)})
        written.quality(name, frechet_classifier_distance=60.0 - 5 * index)
        shared = {"data_source": "official", "n_images": 40}
        if gan:
            written.metrics(name, **shared, discriminator_nats=1.25)
            written.details(name)
        else:
            nll = {"nll_nats": 100.0 + index, "nll_nats_low": 99.0 + index, "nll_nats_high": 101.0 + index, "bits_per_dim": 0.1875}
            kind = {"nll_kind": "unnormalised", "importance_samples": 50, "neg_elbo_nats": 105.0 + index}
            written.metrics(name, **shared, **nll, **kind)
            written.details(name, **details(100.0 + index))
    card = {"dataset": "mnist", "data_source": "official", "description": "made-up digits", "checksum_state": "generated"}
    counts = {"train": 1000, "validation": 200, "test": 40}
    written.json("data/mnist.json", {**card, "counts": counts, "shape": [1, 28, 28], "mean": 0.13})
    floor = {"images": "training images", "frechet_classifier_distance": 3.25}
    written.json("features/mnist.json", {"dataset": "mnist", "labels": "classes", "floor": [floor]})
    _pictures(root / f"reports/{preset}/figures")
    claims = [
        claim("vu4a-1", variants=["vu4a-vae-mnist"], figures=["vu4a-added-1"], strength="indicative", reasons=["one seed"]),
        claim(
            "uva3-1",
            figures=["uva3-figure-1"],
            explanation={"statement": "It must.", "verdict": "does not hold", "sentence": "It need not."},
        ),
        claim("uva3-2", outcome="not reproduced", figures=["uva3-figure-4", "vu4a-added-1", "likelihoods"]),
        claim("uva3-7", outcome="partly", strength="indicative", reasons=["one seed"], numbers=[]),
        claim("uva3-8", outcome="undecided", strength="none", tests=[], numbers=[], seeds={}, decides=[GAN]),
    ]
    errata = [
        erratum("vu4a-1a", rank="editorial", formulas={"printed": None, "correct": None}),
        erratum("uva3-2b", claims=["uva3-2"], tests=["tests/a.py::test_b"], figures=["uva3-figure-4"]),
        erratum("uva3-6c", inference=True, claims=["vu4a-1", "lab1-1"], figures=["vu4a-added-1"]),
    ]
    write(root / f"reports/{preset}/claims.json", claims_file(claims, errata))
    (root / "README.md").write_text("# regen\n", encoding="utf-8")
    return root
