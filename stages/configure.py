"""Check params.yaml and write configs/<preset>/: one resolved file a variant and purpose."""

from pathlib import Path

from regen.config.resolve import read_params, resolve
from regen.files import write_json
from regen.stage import run


def main(preset: str) -> None:
    """Write nothing unless everything is valid."""
    resolved = resolve(read_params(Path("params.yaml")), preset)
    for name, config in resolved.items():
        write_json(Path("configs", preset, name), config.model_dump())


if __name__ == "__main__":
    run(main, "preset")
