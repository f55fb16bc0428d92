"""Trained models in MLflow's store: one a run where its weights are at hand, and the best of each kind under a name of its own."""

import shutil
import tempfile
import warnings
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regen.common.files import checksum, write_json
from regen.dependencies.closure import closure
from regen.tracked_run import TrackedRun
from regen.tracked_store import backend, local_path

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["ModelCode", "drop_models", "log_model", "register_best"]

OURS = "preset"
"""Tag that every model and version has that was written here."""

WEIGHTS = "weights"
"""Tag of a run: the checksum of the weights that its model holds."""

NEEDED = ("numpy", "pydantic", "safetensors", "torch")
"""Packages that a logged model needs beside its own code."""

BEST = "best"
"""The alias of the version that is the best so far."""


class ModelCode:
    """The modules that a logged model runs, copied into a folder of their own as long as the block lasts."""

    def __enter__(self) -> Path:
        """Return the folder `regen` with the modules that `regen.served` imports, and those alone."""
        self._folder = tempfile.TemporaryDirectory()
        source, target = Path(__file__).parents[1], Path(self._folder.name)
        for file in {Path(__file__).with_name("served.py"), *closure(Path(__file__).with_name("served.py"), source).modules.values()}:
            (target / file.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target / file.relative_to(source))
        return target / "regen"

    def __exit__(self, *_: object) -> None:
        """Remove it."""
        self._folder.cleanup()


def log_model(client: "MlflowClient", run: TrackedRun, run_id: str, code: Path) -> None:
    """Bring the model of a run up to date: from its weights where they are at hand; without them the one that is there stays."""
    at_hand = checksum(run.weights, "sha256") if run.weights.exists() else None
    known = client.get_run(run_id)
    if at_hand is None or known.data.tags.get(WEIGHTS) == at_hand:
        return
    import mlflow

    drop_models(client, run_id)
    mlflow.set_tracking_uri(client.tracking_uri)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        data = Path(folder, "trained")
        write_json(data / "model.json", {"model": run.model.model_dump(), "shape": run.shape})
        shutil.copyfile(run.weights, data / "final.safetensors")
        model = client.create_logged_model(
            known.info.experiment_id,
            f"{run.variant}-{run.seed}",
            source_run_id=run_id,
            tags={OURS: run.tags[OURS]},
            params=known.data.params,
            model_type=run.tags["family"],
        )
        # It asks for an example of the input, by which it would run every model.
        warnings.filterwarnings("ignore", message=".*input example was not provided")
        mlflow.models.Model.log(
            artifact_path=None,
            flavor=mlflow.pyfunc,
            run_id=run_id,
            model_id=model.model_id,
            loader_module="regen.served",
            data_path=str(data),
            code_paths=[str(code)],
            signature=_signature(run),
            pip_requirements=[f"{name}=={version(name)}" for name in NEEDED],
        )
    client.set_tag(run_id, WEIGHTS, at_hand)


def drop_models(client: "MlflowClient", run_id: str) -> None:
    """Delete for good the models of a run that were logged here: they are of other weights than the run's."""
    from mlflow.store.tracking.dbmodels.models import SqlInput

    run = client.get_run(run_id)
    for output in run.outputs.model_outputs if run.outputs else ():
        model = client.get_logged_model(output.model_id)
        if OURS in model.tags:
            store = backend(client.tracking_uri)
            shutil.rmtree(local_path(model.artifact_location).parent, ignore_errors=True)
            store._hard_delete_logged_model(model.model_id)
            with store.ManagedSessionMaker(read_only=False) as session:
                session.query(SqlInput).filter(SqlInput.destination_id == model.model_id).delete(synchronize_session=False)
    if WEIGHTS in run.data.tags:
        client.delete_tag(run_id, WEIGHTS)


def _signature(run: TrackedRun) -> Any:
    """Return the shapes and types of what goes in and comes out, by `regen.served.INPUTS`."""
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    def tensor(*shape: int) -> Schema:
        return Schema([TensorSpec(np.dtype(np.float32), (-1, *shape))])

    images, model = tensor(*run.shape), run.model
    match model.family:
        case "gan":
            return ModelSignature(tensor(model.latent_dim), images)
        case "flow":
            return ModelSignature(tensor(int(np.prod(run.shape))), images)
        case "classifier":
            return ModelSignature(images, tensor(model.classes))
        case _:
            return ModelSignature(images, images)


def register_best(client: "MlflowClient", preset: str, runs: Iterable[tuple[TrackedRun, str]]) -> None:
    """Give the best model of each family, data set and kind of likelihood a name, and its version the alias `best`.

    The best has the lowest nll_nats, of values of one kind; where a family has none, the lowest Frechet distance. Every model that was the
    best keeps its version as long as its weights are in the store.
    """
    candidates: dict[tuple[str, str], list[tuple[float, TrackedRun, str, str]]] = {}
    for run, run_id in runs:
        outputs = client.get_run(run_id).outputs
        scores = {name: value for name, value, epoch in run.metrics if epoch == 0}
        measure = "nll_nats" if "nll_kind" in run.tags else "frechet_classifier_distance"
        if outputs and outputs.model_outputs and measure in scores:
            kind = f"-{run.tags['nll_kind']}" if measure == "nll_nats" else ""
            key = f"{run.tags['family']}-{run.dataset}{kind}", measure
            candidates.setdefault(key, []).append((scores[measure], run, run_id, outputs.model_outputs[-1].model_id))
    for (name, measure), found in sorted(candidates.items()):
        score, run, run_id, model_id = min(found, key=lambda one: (one[0], one[1].variant, one[1].seed))
        if not client.search_registered_models(f"name = '{name}'"):
            client.create_registered_model(name, {OURS: preset}, f"The model with the lowest {measure} of preset {preset}.")
        _set_best(client, preset, name, run_id, model_id, f"{run.variant} seed {run.seed}: {measure} {score:.6g}")


def _set_best(client: "MlflowClient", preset: str, name: str, run_id: str, model_id: str, text: str) -> None:
    """Let the alias `best` lead to a version with this model, made if there is none; versions whose weights are gone go too."""
    found = None
    for old in client.search_model_versions(f"name = '{name}'"):
        if old.source == f"models:/{model_id}":
            found = old
        elif OURS in old.tags and not local_path(client.get_model_version_download_uri(name, old.version)).exists():
            client.delete_model_version(name, old.version)
    if found is None:
        found = client.create_model_version(name, f"models:/{model_id}", run_id, {OURS: preset}, description=text, model_id=model_id)
    if client.get_registered_model(name).aliases.get(BEST) != found.version:
        client.set_registered_model_alias(name, BEST, found.version)
