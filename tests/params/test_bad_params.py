"""Every bad value of params.yaml, a study or a preset in one line, and nothing written."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from altered import DELETED, PRESET, VARIANT, changed, chosen, files, raw_params, small_params, write_params

from regen.params.resolve import read_params, resolve

ENTRY = raw_params()["variants"]["mnist"]["uva3-vae-z2-mnist"]
PROTOCOL = "presets/quick/likelihood/default/0"
OFFICIAL = "datasets/mnist/sources/official"
DIGITS = {"shape": [1, 28, 28], "values": "grey", "classes": 10, "split": {"train": 5, "validation": 1, "test": 5}, "sources": {}}
FEATURES = raw_params()["features"]["default"]
FIGURE = {"number": "Figure 4", "title": "Shown", "variants": ["uva3-vae-z2-mnist"]}
CHART = {**FIGURE, "chart": {"kind": "history", "columns": ["val_recon_nats"]}}
PICTURE = {**FIGURE, "pictures": ["manifold"]}
PATHS = {**FIGURE, "number": None, "pictures": ["interpolation"], "points": 11}
SHOWN = "reports/uva3/figures"
# Of studies/uva3/study.yaml.
BAD_STUDY = [
    (SHOWN, [FIGURE], ["figures/0", "'Shown': neither of pictures and chart", "allowed: one of them"]),
    (SHOWN, [{**CHART, **PICTURE}], ["figures/0", "'Shown': both of pictures and chart", "allowed: one of them"]),
    (SHOWN, [{**PICTURE, "variants": ["uva3-vae-z3-mnist"]}], ["figures/0/variants", "unknown variant 'uva3-vae-z3-mnist'", "allowed"]),
    (SHOWN, [{**PICTURE, "variants": []}], ["figures/0/variants = []", "at least 1"]),
    (SHOWN, [{**PICTURE, "pictures": ["heatmap"]}], ['pictures.0 = "heatmap"', "'manifold'"]),
    (
        SHOWN,
        [PICTURE, {**FIGURE, "number": None, "pictures": ["traversal"]}],
        ["figures/1/pictures", "'traversal'", "means, draws, final"],
    ),
    (SHOWN, [PICTURE, PICTURE], ["figures/0/number = 'Figure 4'", "each number once"]),
    (SHOWN, [{**PICTURE, "number": "4"}], ['number = "4"', "Figure|Table"]),
    (SHOWN, [{**PICTURE, "points": 11}], ["points = 11", "'interpolation' only"]),
    (SHOWN, [PATHS, {**PATHS, "points": 10}], ["figures/1/points = 10", "allowed: 11"]),
    (SHOWN, [{**CHART, "chart": {"kind": "pie"}}], ["pie", "'history'"]),
    (SHOWN, [{**CHART, "chart": {"kind": "history", "columns": ["val_lost"]}}], ["val_lost", "recon_nats"]),
    (SHOWN, [{**CHART, "chart": {"kind": "measure", "measures": ["beauty"]}}], ["beauty", "'precision'"]),
    ("reports/uva3/title", DELETED, ["title: missing", "title, author, year, about, notes, figures, order"]),
    ("reports/uva3/year", "2021", ['year = "2021"', "integer"]),
    ("reports/uva3/notes", "One.", ['notes = "One."', "list"]),
    ("reports/uva3/order", 0, ["order = 0", "greater than or equal to 1"]),
    ("reports/uva3/claims", [], ["claims = []", "unknown key", "title, author"]),
    ("reports/uva3", [], [" = []", "dictionary"]),
]
# Key, value, and what the line must say: the key, the value, what is allowed.
BAD = [
    ("colour", 1, ["colour = 1", "unknown key", "seed, memory_mb, compute, presets"]),
    ("seed", DELETED, ["seed", "missing"]),
    ("seed", -1, ["seed = -1", "greater than or equal to 0"]),
    ("seed", "0", ['seed = "0"', "integer"]),
    ("compute/threads", 0, ["compute.threads = 0", "greater than or equal to 1"]),
    ("compute/device", "tpu", ['compute.device = "tpu"', "'cpu', 'cuda' or 'auto'"]),
    (f"{VARIANT}/training/epochs", 0, [f"{VARIANT}/training/epochs = 0", "greater than or equal to 1"]),
    (f"{VARIANT}/training/epochs", 2.5, ["training.epochs = 2.5", "integer"]),
    (f"{VARIANT}/training/learning_rate", -0.1, ["learning_rate = -0.1", "greater than 0"]),
    (f"{VARIANT}/training/learning_rate", "1e-3", ['learning_rate = "1e-3"', "number"]),
    (f"{VARIANT}/training/learning_rate", math.nan, ["learning_rate = NaN", "finite"]),
    (f"{VARIANT}/training/learning_rate", DELETED, ["learning_rate", "missing"]),
    (f"{VARIANT}/training/learning_rte", 0.1, ["learning_rte = 0.1", "unknown key", "learning_rate"]),
    (f"{VARIANT}/training/batch_size", 0, ["batch_size = 0", "greater than or equal to 1"]),
    (f"{VARIANT}/training/optimizer", "sgd", ['optimizer = "sgd"', "'adam'"]),
    (f"{VARIANT}/training/snapshot_epochs", [0, 41], ["snapshot_epochs", "from 0 to 'epochs' (40)"]),
    (f"{VARIANT}/training/snapshot_epochs", [25, 1], ["snapshot_epochs", "allowed: rising"]),
    (f"{VARIANT}/training/snapshot_epochs", [-1], ["snapshot_epochs.0 = -1", "greater than or equal to 0"]),
    (f"{VARIANT}/model/likelihood/kind", "laplace", ["laplace", "'bernoulli', 'continuous_bernoulli', 'gaussian', 'discretised_logistic'"]),
    (f"{VARIANT}/model/likelihood/scale", 1.0, ["likelihood.scale = 1.0", "unknown key", "kind"]),
    (f"{VARIANT}/model/likelihood", {"kind": "gaussian", "scale": 0.0}, ["likelihood.scale = 0.0", "greater than 0"]),
    (f"{VARIANT}/model/likelihood", {"kind": "gaussian"}, ["likelihood.scale", "missing"]),
    (f"{VARIANT}/model/network/hidden", [], ["network.hidden = []", "at least 1"]),
    (f"{VARIANT}/model/network/hidden", [0], ["network.hidden.0 = 0", "greater than or equal to 1"]),
    (f"{VARIANT}/model/network/activation", "gelu", ['activation = "gelu"', "'relu', 'tanh', 'leaky_relu_0.01' or 'leaky_relu_0.2'"]),
    (f"{VARIANT}/model/latent/dim", 0, ["latent.dim = 0", "greater than or equal to 1"]),
    (f"{VARIANT}/model/prior/kind", "flow", ['prior = {"kind": "flow"}', "'standard', 'realnvp'"]),
    (f"{VARIANT}/report", "uva4", [f"{VARIANT}/report", "'uva4'", "vu4a"]),
    (f"{VARIANT}/figures", {"manifold": "Figure 4"}, ["figures", "unknown key", "report, title, assumed"]),
    (f"{VARIANT}/assumed", ["training.rate"], ["'training.rate'", "keys of the variant"]),
    ("variants/fashion", {"fashion-vae": ENTRY}, ["variants/fashion", "'fashion'", "svhn"]),
    ("variants/svhn/uva3-vae-z2-mnist", ENTRY, ["variants", "'uva3-vae-z2-mnist' stands under two data sets", "once"]),
    ("variants/mnist/vae.v2", ENTRY, ['"vae.v2"', "matches ^[a-z0-9]"]),
    ("presets/quick/sources/mnist", "kaggle", ["presets/quick/sources/mnist", "'kaggle'", "embedded, official"]),
    ("presets/paper/sources", {"default": "kaggle"}, ["presets/paper/sources/svhn: missing", "embedded, official, subset, grey"]),
    ("presets/quick/sources/fashion", "embedded", ["presets/quick", "'fashion'", "svhn"]),
    (f"{PROTOCOL}/importance_samples", 5, [f"{PROTOCOL}/importance_samples = 5", "list"]),
    (f"{PROTOCOL}/importance_samples", [], ["importance_samples = []", "at least 1"]),
    (f"{PROTOCOL}/importance_samples", [0, 5], ["importance_samples.0 = 0", "greater than or equal to 1"]),
    (f"{PROTOCOL}/importance_samples", [1, 50, 5], [f"{PROTOCOL}: importance_samples = [1, 50, 5]", "allowed: rising"]),
    (f"{PROTOCOL}/importance_samples", [5, 5], [f"{PROTOCOL}: importance_samples = [5, 5]", "allowed: rising", "once"]),
    *[(f"{PROTOCOL}/n_images", count, [f"n_images = {count}", "greater than or equal to 2"]) for count in (0, 1)],
    ("presets/quick/checks", DELETED, ["presets.quick.checks: missing"]),
    *[
        (f"presets/quick/checks/{key}", 0, [f"checks.{key} = 0", "greater than or equal to 1"])
        for key in ("sum_over", "chains", "temperatures")
    ],
    ("presets/quick/checks/n_images", 1, ["checks.n_images = 1", "greater than or equal to 2"]),
    ("presets/quick/checks/prior_samples", 99, ["checks.prior_samples = 99", "greater than or equal to 100"]),
    (f"{VARIANT}/checks", ["annealing"], ['checks.0 = "annealing"', "'annealed' or 'prior_sampling'"]),
    (f"{VARIANT}/pictures", ["means", "codes"], ["pictures = ['codes']", "means, draws, reconstructions, manifold, latents_by_class"]),
    *[("memory_mb", value, [f"memory_mb = {value}", said]) for value, said in ((0, "greater than or equal to 1"), (0.5, "integer"))],
    ("presets/quick/likelihood/default", [], ["likelihood.default = []", "at least 1"]),
    ("presets/quick/likelihood/default", DELETED, ["presets.quick.likelihood.mnist", "missing"]),
    ("presets/quick/samples/mnist", 19, ["samples.mnist = 19", "greater than or equal to 20"]),
    ("presets/quick/samples/default", DELETED, ["presets.quick.samples.mnist", "missing", "from 20"]),
    ("presets/quick/samples/fashion", 20, ["presets/quick", "'fashion'", "svhn"]),
    ("features/default", DELETED, ["features.mnist: missing", "labels, network, dropout, schedule"]),
    ("features/fashion", FEATURES, ["features.fashion", "'fashion'", "mnist, svhn, default"]),
    ("features/mnist", {**FEATURES, "labels": "fashion"}, ["features.mnist.labels = 'fashion'", "unknown data set", "mnist, svhn"]),
    ("features/mnist", {**FEATURES, "labels": "svhn"}, ["features.mnist.labels = 'svhn'", "shape [1, 28, 28]"]),
    ("features/mnist", {**FEATURES, "images": {"size": 14}}, ["features.mnist.images", "binarisation alone"]),
    ("features/svhn", {**FEATURES, "images": {"luminance": True}}, ["features.svhn.images", "binarisation alone"]),
    ("features/default/network/channels", [4, 8, 16], ["features.mnist.network.channels = [4, 8, 16]", "28x28"]),
    ("features/default/schedule/epochs", 0, ["schedule.epochs = 0", "greater than or equal to 1"]),
    ("presets/quick/max_steps/mnist", 0, ["max_steps.mnist = 0", "greater than or equal to 1"]),
    ("presets/quick/max_steps/fashion", 9, ["presets.quick.max_steps", "data set or variant 'fashion'", "svhn"]),
    ("presets/quick/max_steps/uva3-vae-z2-mnist", 0, ["max_steps.uva3-vae-z2-mnist = 0", "greater than or equal to 1"]),
    ("presets/quick/samples/uva3-vae-z2-mnist", 20, ["presets/quick", "unknown data set 'uva3-vae-z2-mnist'", "svhn"]),
    ("presets/quick/max_images/default/test", 1, ["max_images.default.test = 1", "greater than or equal to 2"]),
    ("presets/quick/max_images/default/trian", 3, ["max_images.default.trian = 3", "unknown key", "train, validation, test"]),
    ("datasets/default", DIGITS, ["datasets.default", "another name"]),
    ("datasets/fashion", DIGITS, ["datasets.fashion.kind: missing", "mnist, binarized_mnist, svhn, celeba, pictures, idx, mat, npz"]),
    ("datasets/mnist/kind", "tiff", ['kind = "tiff"', "'pictures'"]),
    ("datasets/mnist/kind", "idx", ["datasets.mnist.sources.embedded.status = 'stand-in'", "kind 'idx': 'own'"]),
    (f"{OFFICIAL}/status", "own", ["datasets.mnist.sources.official.status = 'own'", "kind 'mnist': any but 'own'"]),
    ("datasets/own", {**DIGITS, "kind": "npz", "sources": {"own": {"status": "own", "files": {}}}}, ["files = {}", "scripts/own.py"]),
    ("datasets/mnist/fit", "crop", ["datasets.mnist.fit = 'crop'", "kind 'mnist': 'exact'"]),
    ("datasets/mnist/fit", "stretch", ['fit = "stretch"', "'exact', 'crop' or 'squash'"]),
    (f"{VARIANT}/images", {"luminance": True}, ["images.luminance = true", "1 channels: false"]),
    ("datasets/mnist/shape", [28, 28], ["shape = [28, 28]", "at least 3"]),
    ("datasets/mnist/values", "colour", ['values = "colour"', "'grey' or 'binary'"]),
    ("datasets/mnist/split/test", 0, ["split.test = 0", "greater than or equal to 1"]),
    (f"{OFFICIAL}/files/train-images-idx3-ubyte.gz", "md5:f68b", ['"md5:f68b"', "md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}"]),
    (f"{OFFICIAL}/status", "borrowed", ['status = "borrowed"', "'stand-in'"]),
]


def assert_refused(call: Callable[[], Path], said: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Assert exit status 1, one line that says all of this, and configs/ as it was."""
    good = Path("configs/quick/report.json")
    good.parent.mkdir(parents=True)
    good.write_text("good")
    with pytest.raises(SystemExit) as caught:
        call()
    assert caught.value.code == 1
    output = capsys.readouterr()
    assert output.out == "" and output.err.startswith("error: ") and output.err.count("\n") == 1
    assert [text for text in said if text not in output.err and text.replace("/", ".") not in output.err] == []
    assert files(Path("configs")) == {"quick/report.json": b"good"}


@pytest.mark.parametrize(("path", "value", "said"), BAD, ids=[row[0] for row in BAD])
def test_a_bad_value_is_one_line_and_writes_nothing(
    path: str, value: Any, said: list[str], configure: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert_refused(lambda: configure(changed(path, value)), ["params.yaml", *said], capsys)


@pytest.mark.parametrize(("path", "value", "said"), BAD_STUDY)
def test_a_bad_study_is_one_line_that_names_its_file(
    path: str, value: Any, said: list[str], configure: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert_refused(lambda: configure(changed(path, value)), ["error: studies/uva3/study.yaml: ", *said], capsys)


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (
            "studies/pets/claims.yaml",
            "[]",
            ["studies/pets/study.yaml: expected title, author and about", "write it or remove studies/pets"],
        ),
        ("studies/my-pets/study.yaml", "title: Pets", ["studies/my-pets: ", "small letters and digits"]),
        ("studies/models/study.yaml", "title: Pets", ["studies/models: ", "not a page of the site (errata, how, index, "]),
        ("studies/pets/study.yaml", "title: [", ["studies/pets/study.yaml", "expected YAML"]),
        ("studies/uva3/claims.yaml", "[{id: uva3-1}]", ["studies/uva3/claims.yaml", "claims.0.kind: missing"]),
        ("studies/uva3/checks.py", '@check("uva3-1")\ndef one(case): ...', ["studies/uva3/checks.py: 'uva3-1' is no claim"]),
    ],
)
def test_a_folder_that_is_no_whole_study_is_one_line(
    path: str, text: str, said: list[str], configure: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(path).parent.mkdir(parents=True)
    Path(path).write_text(text)
    assert_refused(lambda: configure(small_params()), said, capsys)


def test_a_report_in_params_is_sent_to_its_folder(configure: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    content = json.dumps(small_params())
    assert_refused(lambda: configure(content), ["params.yaml: reports: unknown key", "studies/<report>/study.yaml"], capsys)


def test_without_studies_nothing_runs(configure: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert_refused(lambda: configure(changed("reports", {})), ["studies: expected a folder a report", "git checkout"], capsys)


@pytest.mark.parametrize(
    ("content", "preset", "said"),
    [
        (None, PRESET, ["params.yaml", "No such file", "git checkout"]),
        (b"\xff\xfe\xfa", PRESET, ["params.yaml", "readable"]),
        ("", PRESET, ["params.yaml", "null"]),
        ("- 1", PRESET, ["params.yaml", "[1]"]),
        ("[1, 2]: 3", PRESET, ["params.yaml", "seed: missing"]),
        ("variants: [", PRESET, ["params.yaml", "expected YAML", "line 1"]),
        ("a: !!python/object/apply:os.mkdir [configs/made]", PRESET, ["params.yaml", "expected YAML", "os.mkdir"]),
        (small_params(), None, ["preset.yaml", "No such file"]),
        (small_params(), "preset: [", ["preset.yaml", "expected YAML"]),
        (small_params(), {**PRESET, "preset": "huge"}, ["preset.yaml", "preset = 'huge'", "quick, paper"]),
        (small_params(), {**PRESET, "seeds": {"mnist": []}}, ["preset.yaml", "seeds.mnist = []", "at least 1"]),
        (small_params(), {**PRESET, "seeds": {"mnist": [0, -1]}}, ["preset.yaml", "seeds.mnist.1 = -1", "greater than or equal to 0"]),
        (small_params(), {**PRESET, "seeds": {"mnist": [0, 1, 0], "svhn": [0]}}, ["preset.yaml", "seeds.mnist = [0, 1, 0]", "once"]),
        (small_params(), {**PRESET, "seeds": {"mnist": [0]}}, ["preset.yaml", "seeds = {'mnist': [0]}", "or a default", "svhn has none"]),
        (small_params(), {**PRESET, "seeds": {"default": [0], "fashion": [0]}}, ["preset.yaml", "seeds.fashion", "mnist, svhn, default"]),
        (small_params(), {**PRESET, "seed": 0}, ["preset.yaml", "seed = 0", "unknown key", "seeds"]),
    ],
    ids=["missing", "binary", "empty", "list", "list as key", "broken", "python-object", *(f"preset-{number}" for number in range(9))],
)
def test_a_bad_file_or_preset_is_one_line_and_writes_nothing(
    content: Any, preset: Any, said: list[str], configure: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert_refused(lambda: configure(content, preset), said, capsys)


def test_what_the_message_allows_is_accepted(tmp_path: Path) -> None:
    for key, value in (("learning_rate", 0.5), ("epochs", 100), ("snapshot_epochs", []), ("batch_size", 1)):
        path = write_params(tmp_path, changed(f"{VARIANT}/training/{key}", value))
        config: Any = resolve(read_params(path), chosen("quick"))["uva3-vae-z2-mnist.train.json"]
        assert getattr(config.training, key) == value
