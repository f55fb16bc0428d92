"""Run one probe on the weights of the first seed: results/<preset>/probes/<name>.json."""

from pathlib import Path

from regen.common.determinism import derive_seed, make_deterministic
from regen.common.device import resolve_device
from regen.common.files import write_json
from regen.config.base import load
from regen.config.probes import ProbeConfig
from regen.evaluation.probes.registry import PROBES
from regen.evaluation.probes.subject import Subject
from regen.provenance import recorded

# Only now: what pins numpy and torch comes first.
from threadpoolctl import threadpool_limits  # isort: skip


def main(preset: str, name: str) -> None:
    """Read the weights and images that the probe asks for."""
    config = load(ProbeConfig, Path("configs", preset, f"{name}.probe.json"))
    make_deterministic(config.threads)
    device = resolve_device(config.device)
    file = Path("results", preset, "probes", f"{name}.json")
    subjects = [Subject(variant, preset, device) for variant in config.variants]
    with (
        recorded(Path("logs", preset, "probes", name, "probe.json"), [file], device=device.type, threads=config.threads),
        threadpool_limits(config.threads),
    ):
        found = PROBES[config.settings.kind](config.settings, subjects, derive_seed(config.seed, "probe", name))
        facts = {"probe": name, "variants": [variant.variant for variant in config.variants], "data_source": config.data_source}
        write_json(file, {**facts, **found})
