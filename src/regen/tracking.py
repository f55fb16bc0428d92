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
from typing import TYPE_CHECKING, Any

from regen.common.errors import UserError
from regen.common.files import replacing
from regen.config.base import load
from regen.params.schema import ReportConfig
from regen.tracked_run import DataCard, TrackedRun, describe_experiment, read_runs
from regen.tracked_views import view_links, view_tags

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Run

__all__ = ["synchronise"]

_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # A failure is one line of ours, not also MLflow's traceback.
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    # No connection outlives its query, so that a store that was replaced is never written through an old handle.
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",
}
_METRICS_A_CALL = 1000
_OURS = "preset"
"""Tag that every experiment and run of ours has; what a person adds in the user interface lacks it and is left alone."""


def synchronise(root: Path, preset: str) -> str:
    """Bring mlflow/<preset>/ up to date with a preset's files; return one line '<variant> <seed> <digest>' a run, sorted.

    One experiment a data set, one run a variant and seed. A run whose digest is unchanged is left alone; any other is
    replaced; one without results is deleted. The text is deterministic: its digests do not cover the side files.

    Raises
    ------
    UserError
        If a file is malformed (then nothing was changed), or the store is locked or broken.
    """
    config = load(ReportConfig, root / "configs" / preset / "report.json")
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


@contextlib.contextmanager
def _one_line_errors(store: Path) -> Iterator[None]:
    """Turn whatever the store raises into one line; MLflow is first imported here, for that takes two seconds."""
    os.environ.update(_SETTINGS)
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, sqlite3.Error, OSError) as error:
        reason = " ".join(str(error).split())[:120]
        advice = "stop 'make ui' and run again; if it stays, delete the folder: it is rebuilt from the files"
        raise UserError(f"{store}: expected an MLflow store that can be written, got '{reason}'; {advice}") from error


def _backend(address: str, artifacts: Path = Path("artifacts")) -> Any:
    """Return MLflow's own access to a database (untyped), which makes the tables if there are none."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store: Any = SqlAlchemyStore
    return store(address, str(artifacts))


def _open(store: Path) -> "MlflowClient":
    """Return a client of the store, which is made if it is missing and made anew if it was moved."""
    from mlflow import MlflowClient

    database, artifacts = store / "mlflow.db", store / "artifacts"
    if not database.exists() or _is_elsewhere(database, artifacts):
        shutil.rmtree(artifacts, ignore_errors=True)
        for leftover in store.glob(f".{database.name}.*"):
            leftover.unlink()
        # Under its name only when it is whole: MLflow refuses a database whose migration was interrupted.
        with replacing(database) as temporary:
            backend = _backend(f"sqlite:///{temporary}", artifacts)
            backend.delete_experiment(backend.DEFAULT_EXPERIMENT_ID)
    return MlflowClient(f"sqlite:///{database}")


def _is_elsewhere(database: Path, artifacts: Path) -> bool:
    """Say whether artifacts lead elsewhere: MLflow keeps absolute addresses, and a repository is moved or copied."""
    ours = "SELECT artifact_location FROM experiments JOIN experiment_tags USING (experiment_id) WHERE key = ?"
    with contextlib.closing(sqlite3.connect(database, timeout=2)) as connection:
        # MLflow waits 20 s at every query of a locked database: find out here.
        connection.execute("BEGIN IMMEDIATE")
        return any(Path(address).parent != artifacts for (address,) in connection.execute(ours, (_OURS,)))


def _experiment(client: "MlflowClient", store: Path, config: ReportConfig, runs: list[TrackedRun]) -> str:
    """Return the identifier of the experiment of a data set's runs, made or restored if need be, with its description and views."""
    dataset = runs[0].dataset
    found = client.get_experiment_by_name(dataset)
    if found is not None and found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    experiment = client.create_experiment(dataset, str(store / "artifacts" / dataset)) if found is None else found.experiment_id
    views = view_tags(runs)
    tags = {
        _OURS: config.preset,
        "mlflow.note.content": describe_experiment(config, runs, view_links(experiment, views)),
        # Otherwise the user interface opens the pages for language-model applications.
        "mlflow.experimentKind": "custom_model_development",
        **views,
    }
    for key, value in tags.items():
        if found is None or found.tags.get(key) != value:
            client.set_experiment_tag(experiment, key, value)
    return experiment


def _sort(client: "MlflowClient", experiments: list[str]) -> None:
    """Touch the experiments, last name first, if they are not listed by name; only a new name, if the same, counts as a change."""
    listed = [one.experiment_id for one in client.search_experiments(order_by=["last_update_time DESC"]) if _OURS in one.tags]
    if listed != experiments[::-1]:
        for experiment in experiments:
            client.rename_experiment(experiment, client.get_experiment(experiment).name)


def _update(client: "MlflowClient", experiments: dict[str, str], runs: list[TrackedRun]) -> None:
    """Delete the runs and experiments that are out of date, then write the runs that are missing."""
    from mlflow.entities import ViewType

    found = {one.experiment_id: one for one in client.search_experiments(ViewType.ALL) if _OURS in one.tags}
    missing = {(run.variant, str(run.seed)): run for run in runs}
    stale = []
    for old in client.search_runs(list(found), run_view_type=ViewType.ALL, max_results=50_000):
        tags = old.data.tags
        key = (tags.get("variant", ""), tags.get("seed", ""))
        if key in missing and _is_current(old, missing[key]):
            del missing[key]
        elif _OURS in tags:
            stale.append(old)
    _delete(client, stale)
    for experiment in found.keys() - experiments.values():
        if found[experiment].lifecycle_stage == "active":
            client.delete_experiment(experiment)
    for run in missing.values():
        _write(client, experiments[run.dataset], run)


def _is_current(old: "Run", run: TrackedRun) -> bool:
    """Say whether a run of the store is whole and shows what the files say."""
    same = old.info.lifecycle_stage == "active" and old.data.tags.get("synced") == run.full_digest
    return same and all(Path(old.info.artifact_uri, name).is_file() for name in run.artifacts)


def _delete(client: "MlflowClient", runs: list["Run"]) -> None:
    """Delete for good: a run that is only marked as deleted could be restored beside its successor."""
    for run in runs:
        # What `mlflow gc` calls; that command also takes whatever else is marked as deleted.
        _backend(client.tracking_uri)._hard_delete_run(run.info.run_id)
        shutil.rmtree(Path(run.info.artifact_uri).parent, ignore_errors=True)


def _write(client: "MlflowClient", experiment: str, run: TrackedRun) -> None:
    """Write one run; its `synced` tag comes last, so that a run which was cut short is recognised."""
    from mlflow.entities import Metric, Param, RunTag

    start, end, origin = _origin(run)
    new = client.create_run(experiment, start, {**run.tags, **origin, "digest": run.digest}, f"{run.variant} seed {run.seed}").info
    client.log_batch(new.run_id, params=[Param(key, str(value)) for key, value in run.params.items()])
    metrics = [Metric(name, value, start, epoch) for name, value, epoch in run.metrics]
    for first in range(0, len(metrics), _METRICS_A_CALL):
        client.log_batch(new.run_id, metrics=metrics[first : first + _METRICS_A_CALL])
    client.log_inputs(new.run_id, [_dataset_input(run.card)])
    for name, path in run.artifacts.items():
        client.log_artifact(new.run_id, str(path), name.rpartition("/")[0] or None)
    client.set_terminated(new.run_id, "FINISHED", end)
    client.log_batch(new.run_id, tags=[RunTag("synced", run.full_digest)])


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
