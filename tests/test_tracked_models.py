"""Models in MLflow's store: loaded by MLflow alone, without the repository, and the best of each kind under a name."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import torch
from tracked import METRICS, VARIANTS, client_of, ids_of, make, runs_of, train, write

from regen.served import Description, Served
from regen.tracked_store import local_path
from regen.tracking import synchronise

FIRST, SECOND = f"{VARIANTS[0]}/0", f"{VARIANTS[1]}/0"

PREDICT = """
import sys
import mlflow, numpy as np
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(sys.argv[2])
np.save(sys.argv[3], model.predict(np.load(sys.argv[4])))
import regen.served
print(regen.served.__file__)
try:
    model.predict(np.zeros((2, 3, 28, 28), np.float32))
except mlflow.exceptions.MlflowException:
    print("refused")
"""


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store in which two of four runs have weights."""
    root = make(tmp_path_factory.mktemp("models in a # place"))
    for run, nll in ((FIRST, 98.5), (SECOND, 90.0)):
        train(root, run)
        write(root / f"results/quick/{run}/metrics.json", {**METRICS, "nll_nats": nll})
    synchronise(root, "quick")
    return root


def test_mlflow_loads_and_runs_a_model_without_the_repository(synced: Path, tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((2, 1, 28, 28), np.float32)
    np.save(tmp_path / "in.npy", images)
    place, out = f"sqlite:///{quote(str(synced))}/mlflow/quick/mlflow.db", tmp_path / "out.npy"
    command = [sys.executable, "-P", "-c", PREDICT, place, "models:/vae-mnist-unnormalised@best", str(out), str(tmp_path / "in.npy")]
    done = subprocess.run(
        command, cwd=tmp_path, env={"HOME": str(tmp_path), "MLFLOW_DISABLE_TELEMETRY": "true"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr

    code, refused = done.stdout.splitlines()[-2:]
    assert Path(code).is_relative_to(synced / "mlflow/quick/artifacts") and refused == "refused"
    model = train(synced, SECOND)
    with torch.no_grad():
        expected = model.images(model.encoder(torch.from_numpy(images)).mean)
    np.testing.assert_allclose(np.load(out), expected.numpy(), rtol=1e-5, atol=1e-6)


def test_a_model_is_weights_and_the_modules_that_it_needs(synced: Path) -> None:
    run = runs_of(synced)[f"{VARIANTS[0]} seed 0"]
    (output,) = run.outputs.model_outputs
    folder = local_path(client_of(synced).get_logged_model(output.model_id).artifact_location)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}

    assert {"data/trained/model.json", "data/trained/final.safetensors", "code/regen/served.py", "code/regen/models/vae.py"} <= files
    assert not [name for name in files if Path(name).suffix in (".pkl", ".pickle", ".pt", ".pth", ".pyc")]
    assert not [name for name in files if "training" in name or "tracking" in name or "interface" in name]


def test_the_best_of_a_kind_has_a_name_and_changes_with_the_results(synced: Path) -> None:
    client, ids = client_of(synced), ids_of(synced)
    assert {one.name for one in client.search_registered_models()} == {"vae-mnist-unnormalised"}
    assert client.get_model_version_by_alias("vae-mnist-unnormalised", "best").run_id == ids[f"{VARIANTS[1]} seed 0"]

    write(synced / f"results/quick/{FIRST}/metrics.json", {**METRICS, "nll_nats": 80.0})
    synchronise(synced, "quick")
    assert client.get_model_version_by_alias("vae-mnist-unnormalised", "best").run_id == ids[f"{VARIANTS[0]} seed 0"]
    versions = [one.version for one in client.search_model_versions("name = 'vae-mnist-unnormalised'")]
    synchronise(synced, "quick")
    assert [one.version for one in client.search_model_versions("name = 'vae-mnist-unnormalised'")] == versions


def test_other_weights_replace_a_model_and_missing_ones_leave_it(synced: Path) -> None:
    def model_of() -> list[str]:
        return [one.model_id for one in runs_of(synced)[f"{VARIANTS[0]} seed 0"].outputs.model_outputs]

    before = model_of()
    (synced / f"models/quick/{FIRST}/final.safetensors").unlink()
    synchronise(synced, "quick")
    assert model_of() == before
    train(synced, FIRST, bias=1.0)
    synchronise(synced, "quick")
    assert len(model_of()) == 1 and model_of() != before


@pytest.mark.parametrize(
    ("model", "given", "made"),
    [
        ({"family": "gan", "latent_dim": 3}, (2, 3), (2, 1, 8, 8)),
        ({"family": "classifier", "classes": 4}, (2, 1, 8, 8), (2, 4)),
        ({"family": "autoencoder", "latent_dim": 3}, (2, 1, 8, 8), (2, 1, 8, 8)),
    ],
)
def test_every_family_predicts(model: dict[str, object], given: tuple[int, ...], made: tuple[int, ...]) -> None:
    network = {"kind": "mlp", "hidden": [8], "activation": "relu"}
    parts = {
        "gan": {"generator": network, "discriminator": network, "output": "probability"},
        "classifier": {"network": network, "dropout": 0.0},
        "autoencoder": {"network": network, "likelihood": {"kind": "bernoulli"}, "components": 2},
    }
    from regen.models.build import build

    description = Description.model_validate({"model": {**model, **parts[str(model["family"])]}, "shape": [1, 8, 8]})
    found = Served(description, build(description.model, [1, 8, 8]).eval()).predict(np.zeros(given, np.float32))
    assert found.shape == made and found.dtype == np.float32
    if model["family"] == "classifier":
        np.testing.assert_allclose(found.sum(1), 1, rtol=1e-5)
