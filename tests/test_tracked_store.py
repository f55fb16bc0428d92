"""MLflow's store after its sources or itself have changed: what is replaced, rebuilt or refused."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from tracked import METRICS, VARIANTS, client_of, ids_of, make, run_stage, runs_of, side_of, write

from regen.common.errors import UserError
from regen.tracked_store import local_path
from regen.tracking import synchronise


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """Return the folder of a store that a test may change."""
    root = make(tmp_path)
    synchronise(root, "quick")
    return root


def test_experiments_stay_sorted_when_one_is_made_later(changed: Path) -> None:
    shutil.move(changed / "results/quick/vu4a-vae-svhn-gauss", changed / "aside")
    shutil.rmtree(changed / "mlflow")
    synchronise(changed, "quick")
    shutil.move(changed / "aside", changed / "results/quick/vu4a-vae-svhn-gauss")
    synchronise(changed, "quick")

    assert [one.name for one in client_of(changed).search_experiments(order_by=["last_update_time DESC"])] == ["mnist", "svhn"]


def test_a_changed_result_is_written_anew_in_its_run(changed: Path) -> None:
    before = runs_of(changed)
    write(changed / "results/quick/uva3-vae-z2-mnist/0/metrics.json", {**METRICS, "nll_nats": 77.0, "other": 1.0})
    write(changed / "results/quick/uva3-vae-z2-mnist/0/history.csv", "epoch,step,val_neg_elbo_nats\n0,0,5.0\n")
    synchronise(changed, "quick")
    after = runs_of(changed)

    assert {name: run.info.run_id for name, run in before.items()} == {name: run.info.run_id for name, run in after.items()}
    different = {name for name in after if after[name].data.tags["synced"] != before[name].data.tags["synced"]}
    assert different == {"uva3-vae-z2-mnist seed 0"}
    run = after["uva3-vae-z2-mnist seed 0"]
    assert run.data.metrics["nll_nats"] == 77.0 and run.data.metrics["other"] == 1.0 and "train_neg_elbo_nats" not in run.data.metrics
    history = client_of(changed).get_metric_history(run.info.run_id, "val_neg_elbo_nats")
    assert [(point.step, point.value) for point in history] == [(0, 5.0)]
    assert len(run.inputs.dataset_inputs) == 1


def test_what_people_added_survives_changed_results_and_a_moved_repository(changed: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    client, run_id = client_of(changed), ids_of(changed)["uva3-vae-z2-mnist seed 0"]
    mnist = client.get_experiment_by_name("mnist").experiment_id
    client.set_tag(run_id, "looked at", "yes")
    client.set_tag(run_id, "mlflow.note.content", "The one to keep.")
    client.log_metric(run_id, "my_fid", 12.5)
    client.log_text(run_id, "mine", "notes.txt")
    client.set_experiment_tag(mnist, "mlflow.note.content", "Our digits.")
    client.set_experiment_tag(mnist, "mlflow.sharedViewState.mine", "{}")
    own = client.create_run(client.create_experiment("own"), run_name="of somebody").info.run_id
    write(changed / "results/quick/uva3-vae-z2-mnist/0/metrics.json", {**METRICS, "nll_nats": 77.0})
    synchronise(changed, "quick")

    place = tmp_path_factory.mktemp("another") / "name %20 #1"
    shutil.move(changed, place)
    write(place / "results/quick/uva3-vae-z2-mnist/0/metrics.json", {**METRICS, "nll_nats": 78.0})
    # In a process of its own: MLflow remembers where it met a run.
    assert run_stage(place).stderr == ""
    client, run = client_of(place), runs_of(place)["uva3-vae-z2-mnist seed 0"]
    assert run.info.run_id == run_id and run.data.metrics["nll_nats"] == 78.0
    assert (run.data.tags["looked at"], run.data.tags["mlflow.note.content"]) == ("yes", "The one to keep.")
    assert run.data.metrics["my_fid"] == 12.5
    assert Path(client.download_artifacts(run_id, "notes.txt")).read_text() == "mine"
    artifacts = local_path(run.info.artifact_uri)
    assert artifacts.is_relative_to(place) and (artifacts / "history.csv").is_file()
    tags = client.get_experiment(mnist).tags
    assert (tags["mlflow.note.content"], tags["mlflow.sharedViewState.mine"]) == ("Our digits.", "{}")
    assert client.get_run(own).info.run_name == "of somebody"


def test_a_long_history_is_shown_whole(changed: Path) -> None:
    write(changed / "results/quick/uva3-vae-z2-mnist/0/history.csv", "epoch,a,b\n" + "".join(f"{n},{n / 2},\n" for n in range(1500)))
    synchronise(changed, "quick")

    points = client_of(changed).get_metric_history(ids_of(changed)["uva3-vae-z2-mnist seed 0"], "a")
    assert sorted((point.step, point.value) for point in points) == [(n, n / 2) for n in range(1500)]


def test_a_changed_side_file_shows_but_leaves_the_text_alone(changed: Path) -> None:
    text = synchronise(changed, "quick")
    write(changed / "logs/quick/uva3-vae-z20-mnist/0/train.json", side_of(changed, "uva3-vae-z20-mnist/0", device="cuda"))

    assert synchronise(changed, "quick") == text
    assert runs_of(changed)["uva3-vae-z20-mnist seed 0"].data.tags["device"] == "cuda"


def test_what_is_gone_is_deleted_and_comes_back(changed: Path) -> None:
    shutil.move(changed / "results/quick/vu4a-vae-svhn-gauss", changed / "aside")
    shutil.rmtree(changed / "results/quick/uva3-vae-z20-mnist/1")
    synchronise(changed, "quick")
    gone = {name for name, run in runs_of(changed).items() if run.info.lifecycle_stage == "deleted"}
    assert gone == {"uva3-vae-z20-mnist seed 1", "vu4a-vae-svhn-gauss seed 0"}
    assert [one.name for one in client_of(changed).search_experiments()] == ["mnist"]

    shutil.move(changed / "aside", changed / "results/quick/vu4a-vae-svhn-gauss")
    synchronise(changed, "quick")
    assert runs_of(changed)["vu4a-vae-svhn-gauss seed 0"].info.lifecycle_stage == "active"
    assert {one.name for one in client_of(changed).search_experiments()} == {"mnist", "svhn"}


def test_half_written_deleted_and_foreign_runs(changed: Path) -> None:
    runs, client = runs_of(changed), client_of(changed)
    half, deleted, robbed = (runs[f"{name} seed 0"].info for name in VARIANTS)
    client.delete_tag(half.run_id, "synced")
    client.delete_run(deleted.run_id)
    shutil.rmtree(local_path(robbed.artifact_uri))
    foreign = client.create_run(half.experiment_id, run_name="of somebody").info.run_id
    synchronise(changed, "quick")

    after = runs_of(changed)
    assert len(after) == 5 and {run.info.lifecycle_stage for run in after.values()} == {"active"}
    assert after["of somebody"].info.run_id == foreign
    assert all("synced" in run.data.tags for name, run in after.items() if name != "of somebody")
    assert (local_path(robbed.artifact_uri) / "history.csv").exists()


def test_a_deleted_or_moved_store_is_rebuilt(changed: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    text, names = synchronise(changed, "quick"), set(runs_of(changed))
    shutil.rmtree(changed / "mlflow")
    assert synchronise(changed, "quick") == text
    assert set(runs_of(changed)) == names

    copy = tmp_path_factory.mktemp("copy") / "of it"
    shutil.copytree(changed, copy)
    assert synchronise(copy, "quick") == text
    assert set(runs_of(copy)) == names
    assert all(local_path(run.info.artifact_uri).is_relative_to(copy) for run in runs_of(copy).values())
    assert all((local_path(run.info.artifact_uri) / "history.csv").exists() for run in runs_of(changed).values())


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
    make(tmp_path)
    synchronise(tmp_path, "quick")
    database = tmp_path / "mlflow/quick/mlflow.db"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    connection.close()
    before = database.read_bytes()
    # MLflow looks at the version once a process.
    done = run_stage(tmp_path)
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
        ("reports/quick/figures/uva3-vae-z20-mnist/index.json", '[{"file": "x.png"}]', "entry 1"),
        ("logs/quick/uva3-vae-z20-mnist/0/train.json", '{"started": "noon", "seconds": 1}', "started"),
    ],
)
def test_a_malformed_file_is_named_before_anything_is_written(tmp_path: Path, path: str, content: str, expected: str) -> None:
    make(tmp_path)
    write(tmp_path / path, content)
    message = _one_line(tmp_path)
    assert path in message and expected in message
    assert not (tmp_path / "mlflow").exists()
