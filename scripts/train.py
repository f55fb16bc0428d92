"""Train chosen variants, elsewhere or on another device, into one folder: `python scripts/train.py --device cuda PRESET VARIANT ...`.

The folder, trained/<preset>/, can be carried: it has models/, results/ and logs/ as the repository has them, and a checkpoint of what was
interrupted, from which the same command goes on. The side files in logs/ name the device; results that were made so are known by it
(results/<preset>/platform.json).
"""

import argparse
import os
import runpy
import subprocess
import sys
from pathlib import Path

from regen.common.determinism import derive_seed, make_deterministic
from regen.common.errors import UserError
from regen.common.files import write_json, write_text
from regen.common.presets import pipeline_of
from regen.config.variant import TrainConfig
from regen.dependencies.write import code_of
from regen.params.configured import fresh
from regen.params.schema import ReportConfig
from regen.stage import run

from stages_of import addresses  # isort: skip

ROOT = Path(__file__).resolve().parents[1]


def main(device: str, preset: str, variants: str) -> None:
    """Bring the data up to date by the pipeline, then train what the folder lacks, or has of other settings or code.

    `variants` are names with spaces between.

    Raises
    ------
    UserError
        If a variant is unknown, the data are not made, or CUDA is asked for and not there.
    """
    names = variants.split()
    stages = " ".join(addresses(ROOT, preset, names, ["train"]))
    report = fresh(ReportConfig, ROOT, preset, "report.json")
    datasets = dict.fromkeys(report.variants[name].dataset for name in names)
    command = [sys.executable, "-m", "regen.runner", *(f"{pipeline_of(preset)}:split@{name}" for name in datasets)]
    if status := subprocess.run(command, cwd=ROOT).returncode:
        raise UserError(f"train: expected the data to be made, got exit status {status}; see above")
    folder = ROOT / "trained" / preset
    code = code_of(ROOT / "stages/train.py", ROOT)
    write_text(folder / "configs" / preset / "code" / "train.txt", code)
    data = folder / "data"
    if not data.exists():
        data.unlink(missing_ok=True)  # a link to where the repository was before
        data.symlink_to(ROOT / "data")
    stage = runpy.run_path(str(ROOT / "stages/train.py"))["main"]
    make_deterministic()
    os.chdir(folder)
    for name in names:
        config = fresh(TrainConfig, ROOT, preset, f"{name}.train.json")
        chosen = config.model_copy(update={"compute": config.compute.model_copy(update={"device": device})})
        write_json(Path("configs", preset, f"{name}.train.json"), chosen.model_dump())
        made_of = derive_seed(code, chosen.model_dump_json())
        for seed in report.variants[name].seeds:
            done = Path("configs", preset, f"{name}-{seed}.done")
            if not done.exists() or done.read_text() != str(made_of):
                stage(preset, name, str(seed))
                write_text(done, str(made_of))
            print(f"trained/{preset}/models/{preset}/{name}/{seed}", flush=True)
    print(f"carry it:  tar -C trained/{preset} -cf trained.tar models results logs")
    shown = "" if preset == "quick" else f"rm -f {preset}/.dvcignore && "
    print(f"take it in, where the repository is:  {shown}tar -xf trained.tar && dvc commit -f {stages}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scripts/train.py", description="Train chosen variants into a folder that can be carried.")
    parser.add_argument("--device", choices=["cpu", "cuda", "auto"], default="auto")
    parser.add_argument("preset")
    parser.add_argument("variants", nargs="+", metavar="variant")
    asked = parser.parse_args()
    run(main, "scripts/train.py --device", [asked.device, asked.preset, " ".join(asked.variants)])
