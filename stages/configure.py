"""Check params.yaml, studies/ and a preset.yaml, and write configs/<preset>/: a file a variant and purpose, a file of code a stage."""

from pathlib import Path

from regen.claims.studies import check_studies
from regen.common.files import write_json, write_text
from regen.dependencies.write import code_of
from regen.params.resolve import read_params, read_preset, resolve
from regen.params.stages import check_stages

ASIDE = ("__main__", "configure", "fetch")
"""Scripts without such a file: how stages are called; this one, which depends on all code; raw files are what their checksums say."""

RUNS = {"claims": "studies/*/checks.py"}
"""Stage -> files outside of src/ that it runs: what they import counts as well."""


def main(preset_file: str) -> None:
    """Write nothing unless everything is valid."""
    params = read_params(Path("params.yaml"))
    chosen = read_preset(Path(preset_file), params)
    check_studies(params, Path("studies"))
    check_stages(params, chosen, Path())
    folder = Path("configs", chosen.preset)
    resolved = resolve(params, chosen)
    here = Path(__file__).resolve().parent
    scripts = [script for script in sorted(here.glob("*.py")) if script.stem not in ASIDE]
    code = {script.stem: code_of(script, here.parent, RUNS.get(script.stem, "")) for script in scripts}
    for name, config in resolved.items():
        # The report shows its chapters in the order of params.reports.
        write_json(folder / name, config.model_dump(), sort=name != "report.json")
    for stage, text in code.items():
        write_text(folder / "code" / f"{stage}.txt", text)
