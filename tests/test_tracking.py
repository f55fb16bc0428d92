"""MLflow's view, read back through MLflow's own client from files that are made up here."""

import base64
import json
import shutil
import zlib
from pathlib import Path

import pytest
from repository import ROOT
from tracked import VARIANTS, client_of, ids_of, make, run_stage, runs_of, side_of, write

from regen.tracking import synchronise


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a store that nobody changes."""
    root = make(tmp_path_factory.mktemp("a place # with 100%25 signs"))
    synchronise(root, "quick")
    return root


def test_one_experiment_a_data_set_and_one_run_a_variant_and_seed(synced: Path) -> None:
    experiments = {one.name: one for one in client_of(synced).search_experiments()}
    runs = runs_of(synced)

    assert set(experiments) == {"mnist", "svhn"}
    assert set(runs) == {
        "uva3-vae-z2-mnist seed 0",
        "uva3-vae-z20-mnist seed 0",
        "uva3-vae-z20-mnist seed 1",
        "vu4a-vae-svhn-gauss seed 0",
    }
    assert runs["vu4a-vae-svhn-gauss seed 0"].info.experiment_id == experiments["svhn"].experiment_id
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    # The page lists what was changed last first.
    listed = client_of(synced).search_experiments(order_by=["last_update_time DESC"])
    assert [one.name for one in listed] == ["mnist", "svhn"]
    note = experiments["mnist"].tags["mlflow.note.content"]
    assert note.startswith("Preset quick, stand-in data: made-up digits.")
    assert all(text in note for text in ("quick", "stand-in", "made-up digits", "uva3-vae-z2-mnist", "uva3-vae-z20-mnist"))


def test_views_are_saved_and_linked(synced: Path) -> None:
    experiment = client_of(synced).get_experiment_by_name("mnist")
    saved = {key.removeprefix("mlflow.sharedViewState."): value for key, value in experiment.tags.items() if "sharedViewState" in key}

    assert set(saved) == {"likelihood-unnormalised", "samples"}
    # The limit of the table experiment_tags.
    assert max(map(len, experiment.tags.values())) <= 5000
    view = json.loads(saved["likelihood-unnormalised"])
    state = json.loads(zlib.decompress(base64.b64decode(view["state"].removeprefix("deflate;"))))
    assert (view["name"], state["searchFilter"]) == ("Likelihood unnormalised", "tags.nll_kind = 'unnormalised'")
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`nll_nats`", True)
    # Only what the files have.
    assert state["selectedColumns"] == ["tags.`family`", "metrics.`nll_nats`"]
    assert [(card["type"], card["metricKey"]) for card in state["compareRunCharts"]] == [
        ("BAR", "nll_nats"),
        ("LINE", "val_neg_elbo_nats"),
        ("LINE", "train_neg_elbo_nats"),
    ]
    # MLflow itself accepts the query.
    found = client_of(synced).search_runs([experiment.experiment_id], state["searchFilter"], order_by=[state["orderByKey"] + " ASC"])
    assert len(found) == 3
    link = f"#/experiments/{experiment.experiment_id}/runs?workflowType=machine_learning&viewStateShareKey=likelihood-unnormalised"
    assert f"[Likelihood unnormalised]({link})" in experiment.tags["mlflow.note.content"]


def test_seeds_of_a_variant_share_a_colour_and_variants_do_not(synced: Path) -> None:
    colours = {name: run.data.tags["mlflow.runColor"] for name, run in runs_of(synced).items()}
    assert colours["uva3-vae-z20-mnist seed 0"] == colours["uva3-vae-z20-mnist seed 1"]
    assert len(set(colours.values())) == len(VARIANTS)
    assert all(len(colour) == 7 and int(colour[1:], 16) >= 0 for colour in colours.values())


def test_curves_and_final_numbers_are_those_of_the_files(synced: Path) -> None:
    run, client = runs_of(synced)["uva3-vae-z20-mnist seed 0"], client_of(synced)

    def history(name: str) -> list[tuple[int, float]]:
        return [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, name)]

    assert history("val_neg_elbo_nats") == [(0, 543.25), (1, 210.75), (2, 150.125)]
    assert history("train_neg_elbo_nats") == [(1, 321.5), (2, 200.5)]
    assert set(run.data.metrics) == {"train_neg_elbo_nats", "val_neg_elbo_nats", "nll_nats", "n_images"}
    assert run.data.metrics["nll_nats"] == 98.5


def test_sample_quality_is_that_of_the_files(synced: Path) -> None:
    run = runs_of(synced)["uva3-vae-z2-mnist seed 0"]
    shown = {item.path for item in client_of(synced).list_artifacts(run.info.run_id)}

    measured = {key: run.data.metrics[key] for key in ("frechet_classifier_distance", "recall", "n_images", "n_samples")}
    assert measured == {"frechet_classifier_distance": 377.625, "recall": 0.125, "n_images": 100, "n_samples": 60}
    assert run.data.tags["sampler"] == "finite" and {"quality.json", "quality_details.json"} <= shown


def test_parameters_tags_and_data(synced: Path) -> None:
    run = runs_of(synced)["uva3-vae-z20-mnist seed 1"]
    expected = {"report": "uva3", "dataset": "mnist", "family": "vae", "variant": "uva3-vae-z20-mnist", "seed": "1", "preset": "quick"}

    assert (run.data.params["latent.dim"], run.data.params["learning_rate"]) == ("20", "0.001")
    assert {**run.data.tags, **expected, "data_source": "stand-in", "nll_kind": "unnormalised", "finite": "True"} == run.data.tags
    (data,) = run.inputs.dataset_inputs
    assert (data.dataset.name, data.tags[0].value) == ("mnist", "training")
    assert "made-up digits" in data.dataset.source


def test_times_come_from_the_side_file_or_are_none(synced: Path) -> None:
    with_side, without = runs_of(synced)["uva3-vae-z20-mnist seed 0"], runs_of(synced)["uva3-vae-z20-mnist seed 1"]

    # 2026-11-20T12:00:00Z, by `date -u -d ... +%s`
    assert (with_side.info.start_time, with_side.info.end_time) == (1795176000000, 1795176012500)
    assert (with_side.data.tags["device"], with_side.data.tags["commit"], with_side.data.tags["versions"]) == (
        "cpu",
        "abc123",
        "torch 2.15.0",
    )
    assert without.info.start_time == without.info.end_time
    assert "not recorded" in without.data.tags["timing"]
    assert "device" not in without.data.tags


def test_figures_and_tables_are_artifacts(synced: Path) -> None:
    runs, client = runs_of(synced), client_of(synced)

    def listed(name: str, folder: str | None = None) -> set[str]:
        return {item.path for item in client.list_artifacts(runs[name].info.run_id, folder)}

    assert listed("uva3-vae-z20-mnist seed 0") == {"figures", "metrics.json", "history.csv", "details.json"}
    assert listed("uva3-vae-z20-mnist seed 1", "figures") == {"figures/samples.png"}
    assert "figures" not in listed("vu4a-vae-svhn-gauss seed 0")
    copy = client.download_artifacts(runs["uva3-vae-z20-mnist seed 0"].info.run_id, "figures/samples.png")
    assert Path(copy).read_bytes() == (synced / "reports/quick/figures/uva3-vae-z20-mnist/samples.png").read_bytes()
    assert not (synced / "mlruns").exists()


def test_again_changes_nothing(synced: Path) -> None:
    before = ids_of(synced)
    text = synchronise(synced, "quick")

    assert ids_of(synced) == before
    assert [line.split()[:2] for line in text.splitlines()] == [
        ["uva3-vae-z2-mnist", "0"],
        ["uva3-vae-z20-mnist", "0"],
        ["uva3-vae-z20-mnist", "1"],
        ["vu4a-vae-svhn-gauss", "0"],
    ]


def test_the_stage_writes_the_text_and_is_quiet(synced: Path) -> None:
    done = run_stage(synced)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (synced / "mlflow/quick/synced.txt").read_text() == synchronise(synced, "quick")


def test_times_of_a_clone_come_from_the_committed_account(tmp_path: Path) -> None:
    root = make(tmp_path)
    side = side_of(root, "uva3-vae-z2-mnist/0", seconds=60.0)
    stale = {**side_of(root, "uva3-vae-z20-mnist/1"), "outputs": {"results/quick/uva3-vae-z20-mnist/1/history.csv": "of another run"}}
    write(root / "results/quick/provenance.json", {"uva3-vae-z2-mnist/0/train": side, "uva3-vae-z20-mnist/1/train": stale})
    write(root / "logs/quick/uva3-vae-z2-mnist/0/train.json", {**side, "seconds": 1.0, "outputs": {"results/quick/x": "of an experiment"}})
    (root / "configs").rename(root / "elsewhere")
    shutil.copyfile(ROOT / "params.yaml", root / "params.yaml")
    shutil.copyfile(ROOT / "preset.yaml", root / "preset.yaml")
    shutil.copytree(ROOT / "studies", root / "studies")
    synchronise(root, "quick")

    runs = runs_of(root)
    told, stale_run = runs["uva3-vae-z2-mnist seed 0"], runs["uva3-vae-z20-mnist seed 0"]
    assert told.info.end_time - told.info.start_time == 60_000
    assert stale_run.info.end_time - stale_run.info.start_time == 12_500
    assert set(runs) == {"uva3-vae-z2-mnist seed 0", "uva3-vae-z20-mnist seed 0", "vu4a-vae-svhn-gauss seed 0"}
