"""Put the weights of a preset into one archive with a card, for others: `python scripts/models.py PRESET` writes regen-models-PRESET.tar.

Unpacked in a clone it puts the weights where `regen.load` looks for them. The bytes are a function of the files and the commit.
"""

import io
import sys
import tarfile
from pathlib import Path

from regen.common.errors import UserError
from regen.common.files import checksum, replacing
from regen.common.presets import command_of
from regen.params.configured import configured
from regen.params.schema import ReportConfig
from regen.provenance import commit
from regen.results import Results
from regen.stage import run


def main(preset: str) -> None:
    """Write the archive and say what it holds.

    Raises
    ------
    UserError
        If there are no weights here.
    """
    config = configured(ReportConfig, Path(), preset, "report.json")
    runs = {
        (name, seed): Path("models", preset, name, str(seed), "final.safetensors")
        for name, one in config.variants.items()
        for seed in one.seeds
    }
    weights = {run: path for run, path in runs.items() if path.exists()}
    if not weights:
        raise UserError(
            f"models/{preset}: expected trained weights, got none; make them with '{command_of(preset)}' or bring them with 'dvc pull' "
            "(docs/dvc.md)"
        )
    features = sorted(Path("features", preset).glob("*/network.safetensors"))
    archive = Path(f"regen-models-{preset}.tar")
    card = _card(preset, config, weights, features)
    with replacing(archive) as temporary, tarfile.open(temporary, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in [
            (f"MODELS-{preset}.md", card.encode()),
            *((path.as_posix(), path.read_bytes()) for path in [*weights.values(), *features]),
        ]:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    missing = f"; {len(runs) - len(weights)} runs have no weights here" if len(weights) < len(runs) else ""
    print(f"{archive}: {len(weights)} models, {len(features)} feature networks, {archive.stat().st_size / 1e6:,.0f} MB{missing}")


def _card(preset: str, config: ReportConfig, weights: dict[tuple[str, int], Path], features: list[Path]) -> str:
    """Return what the archive holds, made how, good for what, in Markdown."""
    lines = [
        f"# Models of regen, preset {preset}",
        "",
        f"Weights (safetensors, nothing pickled) that the code of commit {commit() or 'unknown'} trained. Licence: MIT.",
        "",
        "```sh",
        f"tar -xf regen-models-{preset}.tar                                    # in a clone of that commit",
        f'PYTHONPATH=src .venv/bin/python -c \'import regen; print(regen.load("{next(iter(weights))[0]}", preset="{preset}").metrics)\'',
        "```",
        "",
        "They are reproductions of small studies, for comparing and teaching. Their images are 28 to 64 pixels wide, and what they say of",
        "faces or handwriting beyond their data sets is worth nothing. -log p(x) is in nats; values of different kinds do not compare.",
        "",
        "| variant | seed | model | data | -log p(x) | kind | Fréchet distance | MB | sha256 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    results = Results(config, Path())
    for (name, seed), path in weights.items():
        variant = config.variants[name]
        likelihoods, samples = results.metrics(name).get(seed, {}), results.quality(name).get(seed, {})
        cells = [name, seed, variant.title, f"{variant.dataset} ({variant.data_source})", _number(likelihoods.get("nll_nats"))]
        cells += [likelihoods.get("nll_kind", ""), _number(samples.get("frechet_classifier_distance")), f"{path.stat().st_size / 1e6:.1f}"]
        lines.append(f"| {' | '.join(map(str, cells))} | `{checksum(path, 'sha256')}` |")
    lines += ["", "Networks in whose features samples are compared:", ""]
    lines += [f"- `{path}`, sha256 `{checksum(path, 'sha256')}`" for path in features] or ["- none"]
    return "\n".join(lines) + "\n"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    run(main, "scripts/models.py", sys.argv[1:])
