"""Where the pipeline of a preset lies, and the command that runs it: `quick` in the root, every other in a folder of its name."""

__all__ = ["command_of", "pipeline_of"]


def pipeline_of(preset: str, part: str = "") -> str:
    """Return the path of a preset's dvc.yaml from the root, or of a part's such as `train`."""
    return ("" if preset == "quick" else f"{preset}/") + (f"pipeline/{part}/" if part else "") + "dvc.yaml"


def command_of(preset: str) -> str:
    """Return the command that makes everything of a preset."""
    return "make report" if preset == "quick" else f"make {preset}"
