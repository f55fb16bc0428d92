"""MLflow's view, read back through MLflow's own client from files that are made up here."""

import base64
import json
import shutil
import sqlite3
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from regen.common.errors import UserError
from regen.params.resolve import read_params, resolve
from regen.params.schema import PresetFile
from regen.tracking import synchronise

VARIANTS = ("uva3-vae-z2-mnist", "uva3-vae-z20-mnist", "vu4a-vae-svhn-gauss")
HISTORY = "epoch,step,train_neg_elbo_nats,val_neg_elbo_nats\n0,0,,543.25\n1,8,321.5,210.75\n2,16,200.5,150.125\n"
METRICS = {"nll_nats": 98.5, "n_images": 100, "bits_per_dim": None, "nll_kind": "unnormalised", "finite": True}
QUALITY = {"frechet_classifier_distance": 377.625, "recall": 0.125, "n_images": 50, "n_samples": 60, "sampler": "finite"}
CARD = {"dataset": "mnist", "source": "embedded", "data_source": "stand-in", "counts": {"train": 1000}, "description": "made-up digits"}
SIDE = {"started": "2026-11-20T12:00:00+00:00", "seconds": 12.5, "device": "cpu", "commit": "abc123", "versions": {"torch": "2.15.0"}}


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))


def _make(root: Path) -> Path:
    """Make up the files of three variants of two data sets, one with two seeds; one figure, one side file."""
    params = Path(__file__).parents[1] / "params.yaml"
    seeds = {name: [0, 1] for name in ("mnist", "binarized_mnist", "svhn", "celeba")}
    chosen = PresetFile(preset="quick", root=".", file="preset.yaml", seeds=seeds)
    config = resolve(read_params(params), chosen)["report.json"].model_dump(mode="json")
    config["variants"] = {name: config["variants"][name] for name in VARIANTS}
    config["variants"]["uva3-vae-z20-mnist"]["model"]["latent"]["dim"] = 20
    config["variants"]["uva3-vae-z20-mnist"]["training"]["learning_rate"] = 0.001
    _write(root / "configs/quick/report.json", config)
    for run in ("uva3-vae-z2-mnist/0", "uva3-vae-z20-mnist/0", "uva3-vae-z20-mnist/1", "vu4a-vae-svhn-gauss/0", "not-configured/0"):
        _write(root / "results/quick" / run / "history.csv", HISTORY)
        _write(root / "results/quick" / run / "metrics.json", METRICS)
        _write(root / "results/quick" / run / "details.json", {"table": [1, 2]})
    _write(root / "results/quick/uva3-vae-z2-mnist/0/quality.json", QUALITY)
    _write(root / "results/quick/uva3-vae-z2-mnist/0/quality_details.json", {"rows": []})
    for dataset in ("mnist", "svhn"):
        _write(root / f"results/quick/data/{dataset}.json", {**CARD, "dataset": dataset})
    figures, picture = root / "reports/quick/figures", {"file": "samples.png", "title": "Samples", "caption": "From the prior"}
    _write(figures / "uva3-vae-z20-mnist/index.json", [picture])
    alone, both = ({**picture, "file": f"{len(names)}.png", "variants": names} for names in (VARIANTS[:1], VARIANTS[:2]))
    unread = {"title": "Classes", "problem": "quality_details.json: expected JSON", "variants": VARIANTS[:1]}
    _write(figures / "charts/index.json", [alone, both, unread])
    for name in ("uva3-vae-z20-mnist/samples", "charts/1", "charts/2"):
        Image.new("L", (4, 3), 128).save(figures / f"{name}.png")
    _write(root / "logs/quick/uva3-vae-z20-mnist/0/train.json", SIDE)
    return root


def _client(root: Path) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{root}/mlflow/quick/mlflow.db")


def _runs(root: Path) -> dict[str, Any]:
    """Return every run by name, whether deleted or not; a name that occurs twice fails."""
    from mlflow.entities import ViewType

    client = _client(root)
    experiments = [one.experiment_id for one in client.search_experiments(ViewType.ALL)]
    runs = client.search_runs(experiments, run_view_type=ViewType.ALL)
    assert len({run.info.run_name for run in runs}) == len(runs)
    return {run.info.run_name: run for run in runs}


def _ids(root: Path) -> dict[str, str]:
    return {name: run.info.run_id for name, run in _runs(root).items()}


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a store that nobody changes."""
    root = _make(tmp_path_factory.mktemp("a place # with signs"))
    synchronise(root, "quick")
    return root


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """Return the folder of a store that a test may change."""
    root = _make(tmp_path)
    synchronise(root, "quick")
    return root


def test_one_experiment_a_data_set_and_one_run_a_variant_and_seed(synced: Path) -> None:
    experiments = {one.name: one for one in _client(synced).search_experiments()}
    runs = _runs(synced)

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
    listed = _client(synced).search_experiments(order_by=["last_update_time DESC"])
    assert [one.name for one in listed] == ["mnist", "svhn"]
    note = experiments["mnist"].tags["mlflow.note.content"]
    assert note.startswith("Preset quick, stand-in data: made-up digits.")
    assert all(text in note for text in ("quick", "stand-in", "made-up digits", "uva3-vae-z2-mnist", "uva3-vae-z20-mnist"))


def test_experiments_stay_sorted_when_one_is_made_later(changed: Path) -> None:
    shutil.move(changed / "results/quick/vu4a-vae-svhn-gauss", changed / "aside")
    shutil.rmtree(changed / "mlflow")
    synchronise(changed, "quick")
    shutil.move(changed / "aside", changed / "results/quick/vu4a-vae-svhn-gauss")
    synchronise(changed, "quick")

    assert [one.name for one in _client(changed).search_experiments(order_by=["last_update_time DESC"])] == ["mnist", "svhn"]


def test_views_are_saved_and_linked(synced: Path) -> None:
    experiment = _client(synced).get_experiment_by_name("mnist")
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
    found = _client(synced).search_runs([experiment.experiment_id], state["searchFilter"], order_by=[state["orderByKey"] + " ASC"])
    assert len(found) == 3
    link = f"#/experiments/{experiment.experiment_id}/runs?workflowType=machine_learning&viewStateShareKey=likelihood-unnormalised"
    assert f"[Likelihood unnormalised]({link})" in experiment.tags["mlflow.note.content"]


def test_seeds_of_a_variant_share_a_colour_and_variants_do_not(synced: Path) -> None:
    colours = {name: run.data.tags["mlflow.runColor"] for name, run in _runs(synced).items()}
    assert colours["uva3-vae-z20-mnist seed 0"] == colours["uva3-vae-z20-mnist seed 1"]
    assert len(set(colours.values())) == len(VARIANTS)
    assert all(len(colour) == 7 and int(colour[1:], 16) >= 0 for colour in colours.values())


def test_curves_and_final_numbers_are_those_of_the_files(synced: Path) -> None:
    run, client = _runs(synced)["uva3-vae-z20-mnist seed 0"], _client(synced)

    def history(name: str) -> list[tuple[int, float]]:
        return [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, name)]

    assert history("val_neg_elbo_nats") == [(0, 543.25), (1, 210.75), (2, 150.125)]
    assert history("train_neg_elbo_nats") == [(1, 321.5), (2, 200.5)]
    assert set(run.data.metrics) == {"train_neg_elbo_nats", "val_neg_elbo_nats", "nll_nats", "n_images"}
    assert run.data.metrics["nll_nats"] == 98.5


def test_sample_quality_is_that_of_the_files(synced: Path) -> None:
    run = _runs(synced)["uva3-vae-z2-mnist seed 0"]
    shown = {item.path for item in _client(synced).list_artifacts(run.info.run_id)}

    measured = {key: run.data.metrics[key] for key in ("frechet_classifier_distance", "recall", "n_images", "n_samples")}
    assert measured == {"frechet_classifier_distance": 377.625, "recall": 0.125, "n_images": 100, "n_samples": 60}
    assert run.data.tags["sampler"] == "finite" and {"quality.json", "quality_details.json"} <= shown


def test_parameters_tags_and_data(synced: Path) -> None:
    run = _runs(synced)["uva3-vae-z20-mnist seed 1"]
    expected = {"report": "uva3", "dataset": "mnist", "family": "vae", "variant": "uva3-vae-z20-mnist", "seed": "1", "preset": "quick"}

    assert (run.data.params["latent.dim"], run.data.params["learning_rate"]) == ("20", "0.001")
    assert {**run.data.tags, **expected, "data_source": "stand-in", "nll_kind": "unnormalised", "finite": "True"} == run.data.tags
    (data,) = run.inputs.dataset_inputs
    assert (data.dataset.name, data.tags[0].value) == ("mnist", "training")
    assert "made-up digits" in data.dataset.source


def test_times_come_from_the_side_file_or_are_none(synced: Path) -> None:
    with_side, without = _runs(synced)["uva3-vae-z20-mnist seed 0"], _runs(synced)["uva3-vae-z20-mnist seed 1"]

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
    runs, client = _runs(synced), _client(synced)

    def listed(name: str, folder: str | None = None) -> set[str]:
        return {item.path for item in client.list_artifacts(runs[name].info.run_id, folder)}

    assert listed("uva3-vae-z20-mnist seed 0") == {"figures", "metrics.json", "history.csv", "details.json"}
    # A chart of this variant alone is its own; one that compares variants is nobody's.
    assert listed(f"{VARIANTS[0]} seed 0", "figures") >= {"figures/1.png"} and "figures/2.png" not in listed(
        f"{VARIANTS[0]} seed 0", "figures"
    )
    assert listed("uva3-vae-z20-mnist seed 1", "figures") == {"figures/samples.png"}
    assert "figures" not in listed("vu4a-vae-svhn-gauss seed 0")
    copy = client.download_artifacts(runs["uva3-vae-z20-mnist seed 0"].info.run_id, "figures/samples.png")
    assert Path(copy).read_bytes() == (synced / "reports/quick/figures/uva3-vae-z20-mnist/samples.png").read_bytes()
    assert not (synced / "mlruns").exists()


def test_again_changes_nothing(synced: Path) -> None:
    before = _ids(synced)
    text = synchronise(synced, "quick")

    assert _ids(synced) == before
    assert [line.split()[:2] for line in text.splitlines()] == [
        ["uva3-vae-z2-mnist", "0"],
        ["uva3-vae-z20-mnist", "0"],
        ["uva3-vae-z20-mnist", "1"],
        ["vu4a-vae-svhn-gauss", "0"],
    ]


def _stage(root: Path) -> subprocess.CompletedProcess[str]:
    stage = Path(__file__).parents[1] / "stages" / "track.py"
    return subprocess.run([sys.executable, str(stage), "quick"], cwd=root, capture_output=True, text=True)


def test_the_stage_writes_the_text_and_is_quiet(synced: Path) -> None:
    done = _stage(synced)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (synced / "mlflow/quick/synced.txt").read_text() == synchronise(synced, "quick")


def test_a_changed_result_replaces_its_run_alone(changed: Path) -> None:
    before = _runs(changed)
    _write(changed / "results/quick/uva3-vae-z2-mnist/0/metrics.json", {**METRICS, "nll_nats": 77.0})
    synchronise(changed, "quick")
    after = _runs(changed)

    assert {name for name in after if after[name].info.run_id != before[name].info.run_id} == {"uva3-vae-z2-mnist seed 0"}
    assert after["uva3-vae-z2-mnist seed 0"].data.metrics["nll_nats"] == 77.0
    assert not Path(before["uva3-vae-z2-mnist seed 0"].info.artifact_uri).parent.exists()


def test_a_long_history_is_shown_whole(changed: Path) -> None:
    _write(changed / "results/quick/uva3-vae-z2-mnist/0/history.csv", "epoch,a,b\n" + "".join(f"{n},{n / 2},\n" for n in range(1500)))
    synchronise(changed, "quick")

    points = _client(changed).get_metric_history(_ids(changed)["uva3-vae-z2-mnist seed 0"], "a")
    assert sorted((point.step, point.value) for point in points) == [(n, n / 2) for n in range(1500)]


def test_a_changed_side_file_shows_but_leaves_the_text_alone(changed: Path) -> None:
    text = synchronise(changed, "quick")
    _write(changed / "logs/quick/uva3-vae-z20-mnist/0/train.json", {**SIDE, "device": "cuda"})

    assert synchronise(changed, "quick") == text
    assert _runs(changed)["uva3-vae-z20-mnist seed 0"].data.tags["device"] == "cuda"


def test_what_is_gone_is_deleted_and_comes_back(changed: Path) -> None:
    shutil.move(changed / "results/quick/vu4a-vae-svhn-gauss", changed / "aside")
    shutil.rmtree(changed / "results/quick/uva3-vae-z20-mnist/1")
    synchronise(changed, "quick")
    assert set(_runs(changed)) == {"uva3-vae-z2-mnist seed 0", "uva3-vae-z20-mnist seed 0"}
    assert [one.name for one in _client(changed).search_experiments()] == ["mnist"]

    shutil.move(changed / "aside", changed / "results/quick/vu4a-vae-svhn-gauss")
    synchronise(changed, "quick")
    assert "vu4a-vae-svhn-gauss seed 0" in _runs(changed)
    assert {one.name for one in _client(changed).search_experiments()} == {"mnist", "svhn"}


def test_half_written_deleted_and_foreign_runs(changed: Path) -> None:
    runs, client = _runs(changed), _client(changed)
    half, deleted, robbed = (runs[f"{name} seed 0"].info for name in VARIANTS)
    client.delete_tag(half.run_id, "synced")
    client.delete_run(deleted.run_id)
    shutil.rmtree(Path(robbed.artifact_uri))
    foreign = client.create_run(half.experiment_id, run_name="of somebody").info.run_id
    synchronise(changed, "quick")

    after = _ids(changed)
    assert len(after) == 5
    assert after["of somebody"] == foreign
    assert {half.run_id, deleted.run_id, robbed.run_id}.isdisjoint(after.values())


def test_a_deleted_or_moved_store_is_rebuilt(changed: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    text, names = synchronise(changed, "quick"), set(_runs(changed))
    shutil.rmtree(changed / "mlflow")
    assert synchronise(changed, "quick") == text
    assert set(_runs(changed)) == names

    copy = tmp_path_factory.mktemp("copy") / "of it"
    shutil.copytree(changed, copy)
    assert synchronise(copy, "quick") == text
    assert set(_runs(copy)) == names
    assert all(Path(run.info.artifact_uri).is_relative_to(copy) for run in _runs(copy).values())
    assert all(Path(run.info.artifact_uri, "history.csv").exists() for run in _runs(changed).values())


def _one_line(root: Path) -> str:
    with pytest.raises(UserError) as caught:
        synchronise(root, "quick")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_locked_or_corrupt_store_is_one_line(changed: Path) -> None:
    database = changed / "mlflow/quick/mlflow.db"
    with sqlite3.connect(database) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        assert "locked" in _one_line(changed)
    connection.close()
    database.write_bytes(b"not a database at all " * 50)
    message = _one_line(changed)
    assert "mlflow/quick" in message and "delete the folder" in message


def test_a_store_of_a_newer_mlflow_is_one_line_and_left_alone(tmp_path: Path) -> None:
    _make(tmp_path)
    synchronise(tmp_path, "quick")
    database = tmp_path / "mlflow/quick/mlflow.db"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    connection.close()
    before = database.read_bytes()
    # MLflow looks at the version once a process.
    done = _stage(tmp_path)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert "mlflow/quick" in done.stderr and "delete the folder" in done.stderr and "schema" in done.stderr
    assert database.read_bytes() == before


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("results/quick/uva3-vae-z2-mnist/0/history.csv", "epoch,val_neg_elbo_nats\n1,many\n", "a row of numbers"),
        ("results/quick/uva3-vae-z2-mnist/0/history.csv", "step\n1\n", "column 'epoch'"),
        ("results/quick/uva3-vae-z2-mnist/0/metrics.json", "[1]", "flat object"),
        ("results/quick/uva3-vae-z2-mnist/0/metrics.json", '{"nll_nats": ', "expected JSON"),
        ("results/quick/data/mnist.json", '{"dataset": "mnist"}', "source: missing"),
        ("reports/quick/figures/uva3-vae-z20-mnist/index.json", '{"file": "x.png"}', "list of figures"),
        ("reports/quick/figures/charts/index.json", '[{"file": "x.png"}]', "entry 1"),
        ("logs/quick/uva3-vae-z20-mnist/0/train.json", '{"started": "noon", "seconds": 1}', "started"),
    ],
)
def test_a_malformed_file_is_named_before_anything_is_written(tmp_path: Path, path: str, content: str, expected: str) -> None:
    _make(tmp_path)
    _write(tmp_path / path, content)
    message = _one_line(tmp_path)
    assert path in message and expected in message
    assert not (tmp_path / "mlflow").exists()
