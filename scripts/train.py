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
from collections.abc import Sequence
from pathlib import Path

from regen.common.determinism import derive_seed, make_deterministic
from regen.common.errors import UserError
from regen.common.files import write_json, write_text
from regen.config.variant import TrainConfig
from regen.dependencies.write import code_of
from regen.params.configured import fresh
from regen.params.schema import ReportConfig

from stages_of import addresses  # isort: skip

ROOT = Path(__file__).resolve().parents[1]


def main(preset: str, variants: Sequence[str], device: str) -> None:
    """Bring the data up to date by the pipeline, then train what the folder lacks, or has of other settings or code.

    Raises
    ------
    UserError
        If a variant is unknown, or CUDA is asked for and not there.
    """
    stages = " ".join(addresses(ROOT, preset, variants, ["train"]))
    report = fresh(ReportConfig, ROOT, preset, "report.json")
    datasets = dict.fromkeys(report.variants[name].dataset for name in variants)
    pipeline = "dvc.yaml" if preset == "quick" else f"{preset}/dvc.yaml"
    subprocess.run([sys.executable, "-m", "regen.runner", *(f"{pipeline}:split@{name}" for name in datasets)], cwd=ROOT, check=True)
    folder = ROOT / "trained" / preset
    code = code_of(ROOT / "stages/train.py", ROOT)
    write_text(folder / "configs" / preset / "code" / "train.txt", code)
    if not (folder / "data").exists():
        (folder / "data").symlink_to(ROOT / "data")
    stage = runpy.run_path(str(ROOT / "stages/train.py"))["main"]
    make_deterministic()
    os.chdir(folder)
    for name in variants:
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
    try:
        main(asked.preset, asked.variants, asked.device)
    except UserError as error:
        sys.exit(f"error: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: train: expected the data to be made, got exit status {error.returncode}; see above")
    except KeyboardInterrupt:
        sys.exit("interrupted: the same command goes on from the last checkpoint")
