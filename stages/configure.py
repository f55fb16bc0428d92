"""Check params.yaml and a preset.yaml and write configs/<preset>/: one resolved file a variant and purpose."""

from pathlib import Path

from regen.common.files import write_json
from regen.params.resolve import read_params, read_preset, resolve
from regen.stage import run


def main(preset_file: str) -> None:
    """Write nothing unless everything is valid."""
    params = read_params(Path("params.yaml"))
    chosen = read_preset(Path(preset_file), params)
    for name, config in resolve(params, chosen).items():
        # The report shows its chapters in the order of params.yaml.
        write_json(Path("configs", chosen.preset, name), config.model_dump(), sort=name != "report.json")


if __name__ == "__main__":
    run(main, "preset_file")
