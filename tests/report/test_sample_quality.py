"""The tables of sample quality, from files that are made up, and from what the stage itself writes."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from forms import Page, both, of, tables
from judged import APPEARANCE, BEFORE, DISTANCES, GAN, PATHS, SAMPLES, VAE, chapter_of, describe, judge, shown, write

from regen.config.base import parse
from regen.config.model import Classifier
from regen.evaluation.quality.features import FeatureSpace
from regen.evaluation.quality.quality import quality
from regen.images.images import Images
from regen.models.build import build
from regen.params.schema import ReportConfig

ReportOf = Callable[..., ReportConfig]
Make = Callable[..., Path]

SVHN = "vu4a-gan-svhn"


def test_every_measure_stands_below_its_heading(report_config: ReportOf, make: Make) -> None:
    config = chapter_of(report_config("quick"), GAN)
    root = make(config)
    describe(root)
    test = {"images": "test images", "laplacian_variance": 0.1875, "mean_confidence": 0.875}
    judge(root, GAN, [SAMPLES, BEFORE, {"images": "epoch 1", "frechet_classifier_distance": 555.5}, test])
    ((row, *_),), ((looks, *_),) = shown(config, root), shown(config, root, "most frequent class")

    named = {"variant": GAN, "images": "samples", "seeds": "1"}
    assert row == {**named, "before training": "1436.5", **{heading: text for _, heading, _, text in DISTANCES}}
    assert looks == {**named, "test images'": "0.1875", **{heading: text for _, heading, _, text in APPEARANCE}}
    assert "555.5" not in "".join(both(config, root))


def test_two_seeds_are_a_mean_but_of_classes_a_list(report_config: ReportOf, make: Make) -> None:
    config = chapter_of(report_config("quick", seeds=2), GAN)
    root = make(config)
    describe(root)
    judge(root, GAN, [SAMPLES, BEFORE])
    second = {**SAMPLES, "frechet_classifier_distance": 377.125, "precision": 0.625, "digits_covered": 9, "top_class": 8}
    judge(root, GAN, [second, {**BEFORE, "frechet_classifier_distance": 1437}], seed=1)
    ((row, *_),), ((looks, *_),) = shown(config, root), shown(config, root, "most frequent class")

    # (377.625 + 377.125) / 2, (0.375 + 0.625) / 2, (4 + 9) / 2; (1436.5 + 1437) / 2 = 1436.75.
    assert (row["seeds"], row["Frechet distance"], row["precision"], looks["classes covered"]) == ("2", "377.38", "0.500", "6.5")
    assert row["before training"] == "1436.8" and row["recall"] == "0.125"
    # Neither 3 nor 8 is 5.5.
    assert looks["most frequent class"] == "3, 8"
    judge(root, GAN, [{**second, "top_class": 3}, BEFORE], seed=1)
    assert shown(config, root, "most frequent class")[0][0]["most frequent class"] == "3"


def test_draws_stand_below_the_samples_and_the_floor_below_all(report_config: ReportOf, make: Make) -> None:
    config = chapter_of(report_config("quick"), VAE, GAN)
    root = make(config)
    describe(root)
    draws = {"images": "draws", "frechet_classifier_distance": 444.25, "precision": 0.0625}
    judge(root, VAE, [SAMPLES, draws, BEFORE, {"images": "draws, before training", "frechet_classifier_distance": 1500.25}])
    judge(root, GAN, [SAMPLES, BEFORE])
    (rows,), (looks,) = shown(config, root), shown(config, root, "most frequent class")

    # The test images have a distance to nothing.
    every = [(VAE, "samples", "1"), (VAE, "draws", "1"), (GAN, "samples", "1"), ("floor", "training images", "")]
    assert [(row["variant"], row["images"], row["seeds"]) for row in rows] == every
    assert [(row["variant"], row["images"], row["seeds"]) for row in looks] == [*every, ("floor", "test images", "")]
    # Of draws those before training, not its samples.
    assert [row["before training"] for row in rows] == ["1436.5", "1500.2", "1436.5", "not defined"]
    assert [row["Frechet distance"] for row in rows] == ["377.62", "444.25", "377.62", "0.0078125"]
    assert [row["precision"] for row in rows] == ["0.375", "0.062", "0.375", "0.938"]
    assert (looks[3]["most frequent class"], looks[4]["confidence"]) == ("1", "0.812")
    assert all(row in both(config, root)[0] for row in ("| floor | training images |", f"| `{VAE}` | draws |"))


def test_images_of_another_size_have_a_floor_of_their_own(report_config: ReportOf, make: Make) -> None:
    config = chapter_of(report_config("quick"), VAE, GAN)
    root = make(config)
    describe(root)
    judge(root, VAE, [SAMPLES, BEFORE])
    rows = [
        {"images": "samples", "reshape": "right", "frechet_classifier_distance": 900.5},
        {"images": "training images", "reshape": "right", "frechet_classifier_distance": 33.25, "laplacian_variance": 0.0625},
        {"images": "training images", "reshape": "wrong", "frechet_classifier_distance": 1000.5},
    ]
    write(root / "results/quick/probes/reshape.json", {"variants": [GAN], "rows": rows})
    # Of 28x28 alone there is nothing to tell.
    assert [row["images"] for row in shown(config, root)[0] if row["variant"] == "floor"] == ["training images"]
    judge(root, GAN, [SAMPLES, BEFORE])
    for heading, value in (("Frechet distance", "33.25"), ("sharpness", "0.0625")):
        floor = [row for row in shown(config, root, heading)[0] if row["variant"] == "floor"]
        assert [(row[heading]) for row in floor if row["images"] == "training images, 32x32"] == [value]
    assert f"of training images that were brought to that size and back. Of that size: `{GAN}`." in both(config, root)[0]


def test_paths_are_means_over_seeds(report_config: ReportOf, make: Make) -> None:
    config = chapter_of(report_config("quick", seeds=2), GAN)
    root = make(config)
    describe(root)
    judge(root, GAN, [SAMPLES, BEFORE], paths=PATHS)
    judge(root, GAN, [SAMPLES, BEFORE], seed=1, paths=[{**PATHS[0], "length": 2.25, "largest_step": None}, PATHS[1]])

    columns = ("variant", "path", "seeds", "length", "largest step", "confidence", "least confidence")
    (rows,) = shown(config, root, "largest step")
    assert [tuple(row.values()) for row in rows] == [
        # (1.75 + 2.25) / 2; of a number that one seed lacks there is no mean.
        (GAN, "linear", "2", "2.00", "not defined", "0.500", "0.375"),
        (GAN, "pixels", "2", "1.25", "0.125", "0.750", "0.625"),
    ]
    assert tuple(rows[0]) == columns


def test_data_sets_have_tables_and_floors_of_their_own(report_config: ReportOf, make: Make) -> None:
    config = chapter_of(report_config("quick"), GAN, SVHN)
    root = make(config)
    describe(root)
    describe(root, "svhn", data_source="grey", floor=[{"images": "training images", "frechet_classifier_distance": 0.25}])
    # Made by the pipeline too, but of no variant of this chapter.
    describe(root, "celeba")
    judge(root, GAN, [SAMPLES, BEFORE])
    judge(root, SVHN, [{**SAMPLES, "frechet_classifier_distance": 99.5}, BEFORE])

    assert [[(row["variant"], row["Frechet distance"]) for row in rows] for rows in shown(config, root)] == [
        [(GAN, "377.62"), ("floor", "0.0078125")],
        [(SVHN, "99.5"), ("floor", "0.25")],
    ]
    text, page = both(config, root)
    for heading in ("mnist (stand-in)", "svhn (grey)"):
        assert f"\n#### {heading}\n\nCompared with" in text and f"<h4>{heading}</h4>" in page
    assert "celeba (" not in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "of a convolutional classifier of mnist, right on 96.88% of 1,200 test images."),
        (
            {"labels": "factors", "test": {"n_images": 1200, "squared_error": 0.22843}},
            "of a convolutional network of the images' factors, squared error 0.228 on 1,200 test images.",
        ),
        (
            {"labels": "nothing", "test": {"n_images": 1200}},
            "of a convolutional network with random weights, for the data set has no labels.",
        ),
    ],
)
def test_the_features_are_described(changes: dict[str, Any], said: str, report_config: ReportOf, make: Make) -> None:
    config = chapter_of(report_config("quick"), GAN)
    root = make(config)
    describe(root, **changes)
    judge(root, GAN, [SAMPLES, BEFORE])
    text, page = both(config, root)
    sentence = f"Compared with 1,000 test images in the 128 features {said} This is no FID."
    assert sentence in text and sentence in page.replace("&#39;", "'")
    # Of a network without classes nothing is said of them.
    assert ("Classes are the network's" in text) == ("classifier" in said)


def test_tables_are_well_formed(report_config: ReportOf, make: Make) -> None:
    config = report_config("quick", seeds=2)
    root = make(config)
    sampling = [name for name, variant in config.variants.items() if variant.model.family != "classifier"]
    for dataset in ("mnist", "binarized_mnist", "svhn", "celeba"):
        describe(root, dataset)
    for number, name in enumerate(sampling):
        for seed in range(2):
            failed = number % 3 == 0 and seed == 1
            rows = [{"images": "samples"}, BEFORE] if failed else [SAMPLES, {**SAMPLES, "images": "draws"}, BEFORE]
            judge(root, name, rows, seed, sampler="not finite" if failed else "finite", **({} if failed else {"paths": PATHS}))
    text, page = both(config, root)
    found = tables(text)

    assert [len(table) for table in of(found, "Frechet distance")] == [len(table) for table in of(Page(page).tables, "Frechet distance")]
    rows = [row[0] for table in of(found, "Frechet distance") for row in table[1:]]
    assert sorted(set(rows)) == sorted([*sampling, "floor"]) and all(rows.count(name) == 4 for name in sampling)
    assert len(found) == len(Page(page).tables)
    for table in found:
        assert {len(row) for row in table} == {len(table[0])} and len(table) > 2
        assert [set(row) == {"---"} for row in table] == [False, True, *[False] * (len(table) - 2)]
    # A table that does not follow an empty line is no table, and neither is a line that a table swallows.
    assert re.findall(r"^[^|\n].*\n\|", text, flags=re.M) == re.findall(r"^\|.*\n[^|\n]", text, flags=re.M) == []


@pytest.mark.parametrize("finite", [True, False])
def test_what_the_stage_writes_is_read(finite: bool, resolved: Callable[[str], Any], report_config: ReportOf, make: Make) -> None:
    config = chapter_of(report_config("quick"), GAN)
    root = make(config)
    describe(root)
    settings = resolved("quick")[f"{GAN}.quality.json"].model_copy(update={"n_samples": 20})
    network = {"kind": "mlp", "hidden": [8], "activation": "relu"}
    labeller = parse(Classifier, {"family": "classifier", "network": network, "dropout": 0.0, "classes": 10}, "test")
    torch.manual_seed(0)
    space = FeatureSpace(build(labeller, [1, 28, 28]), [1, 28, 28], "classes")
    pixels = torch.randint(0, 256, (40, 3, 32, 32), dtype=torch.int16).to(torch.uint8)
    model = build(settings.model, settings.shape).eval()
    if not finite:
        next(model.generator.parameters()).data.fill_(float("nan"))
    images = {split: Images(half, torch.zeros(20)) for split, half in zip(("train", "test"), pixels.split(20), strict=True)}
    images["prepared"] = images["test"]
    scalars, details = quality(settings, 0, model, {}, images, space)
    for file, content in (("quality", scalars), ("quality_details", details)):
        write(root / f"results/quick/{GAN}/0/{file}.json", content)
    (rows,), (looks,) = shown(config, root), shown(config, root, "most frequent class")

    assert (f"`{GAN}`: its samples are not finite." in both(config, root)[0]) is not finite
    assert [row["images"] for row in rows] == [*(["samples"] if finite else []), "training images"]
    assert [row["images"] for row in looks] == [*(["samples"] if finite else []), "training images", "test images"]
    if finite:
        # No key is written that is read under another name.
        found = {**rows[0], **looks[0]}
        assert {found[heading] for _, heading, *_ in DISTANCES + APPEARANCE}.isdisjoint({"not defined", "no result"})
        assert rows[0]["Frechet distance"] == f"{scalars['frechet_classifier_distance']:.5g}"
        assert looks[0]["most frequent class"] == str(details["rows"][0]["top_class"])
        assert [row["path"] for row in shown(config, root, "largest step")[0]] == ["linear", "spherical", "pixels"]
