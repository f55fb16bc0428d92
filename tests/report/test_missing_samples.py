"""The tables of sample quality where samples failed, or were not measured."""

from collections.abc import Callable
from pathlib import Path

import pytest
from forms import Page, both, chapters
from judged import BEFORE, GAN, PATHS, SAMPLES, VAE, chapter_of, describe, judge, shown

from regen.params.schema import ReportConfig

ReportOf = Callable[..., ReportConfig]
Make = Callable[..., Path]

NO_SAMPLES = "No samples: nothing that can sample was measured yet."


@pytest.mark.parametrize("sampler", ["not finite", "constant"])
def test_samples_that_are_none_are_named(sampler: str, report_config: ReportOf, make: Make) -> None:
    config = chapter_of(report_config("quick"), GAN, VAE)
    root = make(config)
    describe(root)
    # What is not finite has no numbers and no paths; what is constant has both, though not every number.
    measured = {} if sampler == "not finite" else {"frechet_classifier_distance": 999.5}
    judge(root, GAN, [{"images": "samples", **measured}, BEFORE], sampler=sampler)
    judge(root, VAE, [SAMPLES, BEFORE], paths=PATHS)
    (rows,) = shown(config, root)

    assert [row["variant"] for row in rows if row["images"] == "samples"] == ([VAE] if sampler == "not finite" else [GAN, VAE])
    text, page = both(config, root)
    assert f"\n`{GAN}`: its samples are {sampler}.\n" in text and f"<p><code>{GAN}</code>: its samples are {sampler}.</p>" in page
    assert f"`{VAE}`: its samples" not in text
    assert [row["variant"] for row in shown(config, root, "largest step")[0]] == [VAE] * 2


def test_where_every_sampler_failed_the_floor_stands_alone(report_config: ReportOf, make: Make) -> None:
    config = chapter_of(report_config("quick"), GAN)
    root = make(config)
    describe(root)
    # Not even the model before training has numbers.
    judge(root, GAN, [{"images": "samples"}, {"images": "before training"}], sampler="not finite")
    (rows,) = shown(config, root)
    assert [row["variant"] for row in rows] == ["floor"]
    assert shown(config, root, "largest step") == []
    assert f"`{GAN}`: its samples are not finite." in both(config, root)[0]


def test_a_seed_that_failed_leaves_the_others_their_mean(report_config: ReportOf, make: Make) -> None:
    config = chapter_of(report_config("quick", seeds=3), GAN)
    root = make(config)
    describe(root)
    judge(root, GAN, [SAMPLES, {**BEFORE, "frechet_classifier_distance": 1000}], paths=PATHS)
    judge(root, GAN, [{"images": "samples"}, BEFORE], seed=1, sampler="not finite")
    judge(root, GAN, [SAMPLES, {**BEFORE, "frechet_classifier_distance": 1001}], seed=2, paths=PATHS)
    ((row, *_),) = shown(config, root)

    assert (row["seeds"], row["Frechet distance"], row["before training"]) == ("2", "377.62", "1000.5")
    assert [row["seeds"] for row in shown(config, root, "largest step")[0]] == ["2", "2"]
    assert f"`{GAN}`: its samples are not finite." in both(config, root)[0]


def test_what_was_not_measured_has_no_row(report_config: ReportOf, make: Make) -> None:
    config = chapter_of(report_config("quick"), GAN, VAE)
    root = make(config)
    describe(root)
    judge(root, GAN, [SAMPLES, BEFORE])
    (rows,) = shown(config, root)

    assert [row["variant"] for row in rows] == [GAN, "floor"]
    # Its metrics are there all the same.
    assert [row["variant"] for row in shown(config, root, "KL (nats)")[0]] == [GAN, VAE]


def test_what_cannot_sample_has_neither_row_nor_sentence(report_config: ReportOf, make: Make) -> None:
    config = chapter_of(report_config("quick"), "lab1-classifier-mnist", "lab1-vae-mnist")
    root = make(config)
    describe(root)
    judge(root, "lab1-classifier-mnist", [], sampler="none")
    text, page = both(config, root)
    assert shown(config, root) == [] and NO_SAMPLES in text and NO_SAMPLES in page

    judge(root, "lab1-vae-mnist", [SAMPLES, BEFORE])
    assert [row["variant"] for row in shown(config, root)[0]] == ["lab1-vae-mnist", "floor"]
    assert "its samples are" not in both(config, root)[0]


def test_without_a_feature_space_there_are_no_samples(report_config: ReportOf, make: Make) -> None:
    config = chapter_of(report_config("quick"), GAN)
    root = make(config)
    judge(root, GAN, [SAMPLES, BEFORE])
    text, page = both(config, root)
    # On the front page and in the chapter.
    assert shown(config, root) == [] and text.count(NO_SAMPLES) == page.count(NO_SAMPLES) == 2


def test_results_without_quality_are_a_whole_report(report_config: ReportOf, make: Make) -> None:
    config = report_config("quick")
    root = make(config)
    describe(root)
    text, page = both(config, root)
    assert all(NO_SAMPLES in chapters(text)[report] and NO_SAMPLES in Page(page).sections[report] for report in config.reports)


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        (f"results/quick/{GAN}/0/quality.json", '{"precision": ', "expected JSON"),
        (f"results/quick/{GAN}/0/quality.json", '{"sampler": "finite", "precision": [1]}', "expected one flat object"),
        (f"results/quick/{GAN}/0/quality_details.json", "x", "expected JSON"),
        ("results/quick/features/mnist.json", "{", "expected JSON"),
    ],
)
def test_a_broken_file_is_named(path: str, content: str, said: str, report_config: ReportOf, make: Make) -> None:
    config = chapter_of(report_config("quick"), GAN)
    root = make(config)
    describe(root)
    judge(root, GAN, [SAMPLES, BEFORE])
    (root / path).write_text(content)
    for part in (chapters(both(config, root)[0])["vu4a"], Page(both(config, root)[1]).sections["samples"]):
        assert f"{path}: {said}" in part
