"""MLflow as a view of the files that the pipeline wrote: brought up to date as often as you like, never a source."""

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from time import time
from typing import TYPE_CHECKING

from regen.common.errors import UserError
from regen.common.files import read_json, replacing, write_json
from regen.params.configured import configured
from regen.params.schema import ReportConfig
from regen.tracked_models import ModelCode, drop_models, log_model, register_best
from regen.tracked_run import DataCard, TrackedRun, describe_experiment, read_runs
from regen.tracked_store import address, backend, local_path
from regen.tracked_views import view_addresses, view_links, view_tags

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Experiment, Run

__all__ = ["first_view", "synchronise"]

_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # A failure is one line of ours, not also MLflow's traceback.
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    # No connection outlives its query, so that a store that was replaced is never written through an old handle.
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",
    # It looks for a uv project in the current folder otherwise, and copies its lock into every model.
    "MLFLOW_UV_AUTO_DETECT": "false",
}
_METRICS_A_CALL = 1000
_OURS = "preset"
"""Tag that every experiment and run of ours has; what a person adds in the user interface lacks it and is left alone."""

_NOTE, _OUR_NOTE = "mlflow.note.content", "mlflow.regen.note"
"""The description, and what it was when it was written here: one that a person has edited is left alone. The page hides such tags."""

_ADDRESSES = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}
"""Where MLflow keeps absolute addresses."""


def synchronise(root: Path, preset: str) -> str:
    """Bring mlflow/<preset>/ up to date with a preset's files; return one line '<variant> <seed> <digest>' a run, sorted.

    One experiment a data set, one run a variant and seed, a model for each run whose weights are at hand. A run keeps its identifier:
    one whose digest is unchanged is left alone, any other is written anew, one without results is marked as deleted. What people add
    stays: runs, experiments, views, tags, metrics, files, edited descriptions. The text is deterministic: it does not cover side files
    and weights.

    Raises
    ------
    UserError
        If a file is malformed (then nothing was changed), or the store is locked or broken.
    """
    config = configured(ReportConfig, root, preset, "report.json")
    runs = read_runs(root, config)
    datasets: dict[str, list[TrackedRun]] = {}
    for run in runs:
        datasets.setdefault(run.dataset, []).append(run)
    store = root.resolve() / "mlflow" / preset
    with _one_line_errors(store):
        client = _open(store)
        # The user interface lists the experiment that was changed last first.
        experiments = {dataset: _experiment(client, store, config, datasets[dataset]) for dataset in sorted(datasets, reverse=True)}
        _update(client, experiments, runs)
        _sort(client, list(experiments.values()))
    return "".join(f"{run.variant} {run.seed} {run.digest}\n" for run in runs)


def first_view(root: Path, preset: str) -> str:
    """Return the part of an address that opens the first saved view of the first experiment; without one, the list of experiments."""
    store = root.resolve() / "mlflow" / preset
    with _one_line_errors(store):
        listed = _open(store).search_experiments(order_by=["last_update_time DESC"])
        links = [view_addresses(one.experiment_id, one.tags) for one in listed if _OURS in one.tags]
    return next((link for of_one in links for link in of_one.values()), "#/experiments?workflowType=machine_learning")


@contextlib.contextmanager
def _one_line_errors(store: Path) -> Iterator[None]:
    """Turn whatever the store raises into one line; MLflow is first imported here, for that takes two seconds."""
    os.environ.update(_SETTINGS)
    from mlflow.exceptions import MlflowException
    from sqlalchemy import event
    from sqlalchemy.engine import Engine
    from sqlalchemy.exc import SQLAlchemyError

    event.listen(Engine, "connect", _without_waiting)
    try:
        yield
    except (MlflowException, SQLAlchemyError, sqlite3.Error, OSError) as error:
        reason = " ".join(str(error).split())[:120]
        advice = "stop 'make ui' and run again; if it stays, delete the folder: it is rebuilt from the files"
        raise UserError(f"{store}: expected an MLflow store that can be written, got '{reason}'; {advice}") from error
    finally:
        event.remove(Engine, "connect", _without_waiting)


def _without_waiting(connection: sqlite3.Connection, _: object) -> None:
    """Leave it to the system when a commit reaches the disk, half the time otherwise: only a crash of the system could cost the store."""
    connection.execute("PRAGMA synchronous = OFF")


def _open(store: Path) -> "MlflowClient":
    """Return a client of the store, which is made if it is missing and follows if it was moved."""
    from mlflow import MlflowClient

    database, artifacts = store / "mlflow.db", store / "artifacts"
    if not database.exists():
        shutil.rmtree(artifacts, ignore_errors=True)
        for leftover in store.glob(f".{database.name}.*"):
            leftover.unlink()
        # Under its name only when it is whole: MLflow refuses a database whose migration was interrupted.
        with replacing(database) as temporary:
            new = backend(address(temporary), artifacts.as_uri())
            new.delete_experiment(new.DEFAULT_EXPERIMENT_ID)
    _follow(database, artifacts)
    return MlflowClient(address(database))


def _follow(database: Path, artifacts: Path) -> None:
    """Let the addresses of artifacts lead to this folder: MLflow keeps absolute ones, and a repository is moved, renamed or copied."""
    with contextlib.closing(sqlite3.connect(database, timeout=2)) as connection:
        # MLflow waits 20 s at every query of a locked database: find out here.
        connection.execute("BEGIN IMMEDIATE")
        known = connection.execute(
            "SELECT artifact_location FROM experiments JOIN experiment_tags USING (experiment_id) WHERE key = ?", (_OURS,)
        )
        for old in {place.rpartition("/")[0] for (place,) in known} - {artifacts.as_uri()}:
            for table, column in _ADDRESSES.items():
                changed = f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?"
                connection.execute(changed, (artifacts.as_uri(), len(old) + 1, len(old) + 1, f"{old}/"))
        connection.commit()


def _experiment(client: "MlflowClient", store: Path, config: ReportConfig, runs: list[TrackedRun]) -> str:
    """Return the identifier of the experiment of a data set's runs, made or restored if need be, with its description and views."""
    dataset = runs[0].dataset
    found = client.get_experiment_by_name(dataset)
    if found is not None and found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    place = (store / "artifacts" / dataset).as_uri()
    experiment = client.create_experiment(dataset, place) if found is None else found.experiment_id
    views = view_tags(runs)
    tags = {
        _OURS: config.preset,
        **_note(describe_experiment(config, runs, view_links(experiment, views)), found.tags if found else {}),
        # Otherwise the user interface opens the pages for language-model applications.
        "mlflow.experimentKind": "custom_model_development",
        **views,
    }
    for key, value in tags.items():
        if found is None or found.tags.get(key) != value:
            client.set_experiment_tag(experiment, key, value)
    return experiment


def _note(text: str, old: dict[str, str]) -> dict[str, str]:
    """Return the tags of a description; none where a person has edited the one that is there."""
    written = old.get(_OUR_NOTE)
    edited = written is not None and _digest(old.get(_NOTE, "")) != written
    return {} if edited else {_NOTE: text, _OUR_NOTE: _digest(text)}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _sort(client: "MlflowClient", experiments: list[str]) -> None:
    """Touch the experiments, last name first, if they are not listed by name; only a new name, if the same, counts as a change."""
    listed = [one.experiment_id for one in client.search_experiments(order_by=["last_update_time DESC"]) if _OURS in one.tags]
    if listed != experiments[::-1]:
        for experiment in experiments:
            client.rename_experiment(experiment, client.get_experiment(experiment).name)


def _update(client: "MlflowClient", experiments: dict[str, str], runs: list[TrackedRun]) -> None:
    """Write the runs that changed and the models, and mark the runs and experiments that are out of date as deleted."""
    from mlflow.entities import ViewType

    found = {one.experiment_id: one for one in client.search_experiments(ViewType.ALL) if _OURS in one.tags}
    known = {
        _key(old): old for old in client.search_runs(list(found), run_view_type=ViewType.ALL, max_results=50_000) if _OURS in old.data.tags
    }
    written = []
    with ModelCode() as code:
        for run in runs:
            old = known.pop((experiments[run.dataset], run.variant, str(run.seed)), None)
            if old is not None and _is_current(old, run):
                log_model(client, run, old.info.run_id, code)
                written.append((run, old.info.run_id))
            else:
                written.append((run, _write(client, experiments[run.dataset], run, old, code)))
    _delete(client, list(known.values()), [found[one] for one in found.keys() - experiments.values()])
    register_best(client, runs[0].tags["preset"] if runs else "", written)


def _key(run: "Run") -> tuple[str, str, str]:
    return run.info.experiment_id, run.data.tags.get("variant", ""), run.data.tags.get("seed", "")


def _is_current(old: "Run", run: TrackedRun) -> bool:
    """Say whether a run of the store is whole and shows what the files say."""
    same = old.info.lifecycle_stage == "active" and old.data.tags.get("synced") == run.full_digest
    return same and all((local_path(old.info.artifact_uri) / name).is_file() for name in run.artifacts)


def _delete(client: "MlflowClient", runs: list["Run"], experiments: list["Experiment"]) -> None:
    """Mark as deleted what has no results: with what people added it comes back when they do."""
    for run in runs:
        if run.info.lifecycle_stage == "active":
            client.delete_run(run.info.run_id)
    for experiment in experiments:
        if experiment.lifecycle_stage == "active":
            client.delete_experiment(experiment.experiment_id)


def _write(client: "MlflowClient", experiment: str, run: TrackedRun, old: "Run | None", code: Path) -> str:
    """Write one run and return its identifier; its `synced` tag comes last, so that a run which was cut short is recognised."""
    from mlflow.entities import Metric, Param, RunTag

    start, end, origin = _origin(run)
    name, tags = f"{run.variant} seed {run.seed}", {**run.tags, **origin, "digest": run.digest}
    tags |= _note(tags.pop(_NOTE), old.data.tags if old else {})
    if old is None:
        run_id = client.create_run(experiment, start, tags, name).info.run_id
    else:
        run_id = old.info.run_id
        _clear(client, old, run, start)
        client.log_batch(run_id, tags=[RunTag(key, value) for key, value in tags.items()])
    info = client.get_run(run_id).info
    client.log_batch(run_id, params=[Param(key, str(value)) for key, value in run.params.items()])
    # Before the metrics: of a run that has some, MLflow copies them to the model one by one, which takes longer than all the rest.
    log_model(client, run, run_id, code)
    metrics = [Metric(name, value, start, epoch) for name, value, epoch in run.metrics]
    for first in range(0, len(metrics), _METRICS_A_CALL):
        client.log_batch(run_id, metrics=metrics[first : first + _METRICS_A_CALL])
    client.log_inputs(run_id, [_dataset_input(run.card)])
    for path_in_run, path in run.artifacts.items():
        client.log_artifact(run_id, str(path), path_in_run.rpartition("/")[0] or None)
    contents = {"metrics": sorted({key for key, _, _ in run.metrics}), "params": sorted(run.params), "artifacts": sorted(run.artifacts)}
    write_json(_contents(info.artifact_uri), {**contents, "tags": sorted(tags)})
    client.set_terminated(run_id, "FINISHED", end)
    client.log_batch(run_id, tags=[RunTag("synced", run.full_digest)])
    return str(run_id)


def _contents(artifact_uri: str) -> Path:
    """Return the file beside a run's artifacts that lists what was written here, as opposed to by people."""
    return local_path(artifact_uri).parent / "written.json"


def _clear(client: "MlflowClient", old: "Run", run: TrackedRun, start: int) -> None:
    """Empty a run of what was written here, and of its model if that is of other results; give it its new start."""
    from mlflow.store.tracking.dbmodels import models as tables

    run_id, record = old.info.run_id, _contents(old.info.artifact_uri)
    if old.info.lifecycle_stage == "deleted":
        client.restore_run(run_id)
    if old.data.tags.get("digest") != run.digest:
        drop_models(client, run_id)
    # Without the record, as after an interruption, all that a run may hold from here.
    everything = {"metrics": list(old.data.metrics), "params": list(old.data.params), "artifacts": [], "tags": ["synced"]}
    written = read_json(record) if record.exists() else everything
    with backend(client.tracking_uri).ManagedSessionMaker(read_only=False) as session:
        for table, kind in ((tables.SqlMetric, "metrics"), (tables.SqlLatestMetric, "metrics"), (tables.SqlParam, "params")):
            session.query(table).filter(table.run_uuid == run_id, table.key.in_(written[kind])).delete(synchronize_session=False)
        inputs = tables.SqlInput
        session.query(inputs).filter(inputs.destination_id == run_id, inputs.source_type == "DATASET").delete(synchronize_session=False)
        session.query(tables.SqlRun).filter(tables.SqlRun.run_uuid == run_id).update({"start_time": start})
    for key in {"synced", *written["tags"]} - {_NOTE, _OUR_NOTE, _OURS, "variant", "seed"}:
        if key in old.data.tags:
            client.delete_tag(run_id, key)
    for name in written["artifacts"]:
        (local_path(old.info.artifact_uri) / name).unlink(missing_ok=True)
    record.unlink(missing_ok=True)


def _origin(run: TrackedRun) -> tuple[int, int, dict[str, str]]:
    """Return when training started and ended (milliseconds) and, as tags, how; without a side file, now and for no time."""
    tags = {f"{stage}_seconds": f"{side.seconds:.1f}" for stage, side in run.side.items()}
    train = run.side.get("train")
    if train is None:
        now = int(time() * 1000)
        return now, now, {**tags, "timing": "not recorded: the time shown is that of the synchronisation"}
    versions = ", ".join(f"{name} {version}" for name, version in sorted(train.versions.items()))
    how = {**train.model_dump(include={"device", "processor", "system", "commit"}), "versions": versions}
    how["mlflow.source.git.commit"] = train.commit
    start = int(train.started.timestamp() * 1000)
    return start, start + int(train.seconds * 1000), {**tags, **{key: value for key, value in how.items() if value}}


def _dataset_input(card: DataCard) -> "DatasetInput":
    from mlflow.entities import Dataset, DatasetInput, InputTag

    shown = json.dumps(card.model_dump(), sort_keys=True)
    digest = hashlib.sha256(shown.encode()).hexdigest()[:8]
    source = json.dumps({"uri": f"{card.source} ({card.data_source})", "description": card.description})
    return DatasetInput(Dataset(card.dataset, digest, "local", source, profile=shown), [InputTag("mlflow.data.context", "training")])
