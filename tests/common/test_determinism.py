"""The same bits everywhere: what is fixed, and that it is fixed early enough."""

import ast
import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from regen.common.determinism import derive_seed

ROOT = Path(__file__).parents[2]

PINNED = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_CBWR": "AVX2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def fresh(code: str, **settings: str) -> str:
    """Return what a new process prints whose environment pins nothing but `settings`."""
    environment = {name: value for name, value in os.environ.items() if name not in PINNED} | settings
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the instruction set is of x86 processors")
def test_importing_the_package_pins_the_environment_before_torch_and_numpy() -> None:
    code = "import json, os, sys, regen; print(json.dumps([dict(os.environ), 'torch' in sys.modules or 'numpy' in sys.modules]))"
    environment, too_late = json.loads(fresh(code, ATEN_CPU_CAPABILITY="default"))
    assert {name: environment.get(name) for name in PINNED} == PINNED
    assert not too_late


def test_other_processors_get_no_instruction_set() -> None:
    code = "import json, os, platform; platform.machine = lambda: 'aarch64'; import regen; print(json.dumps(dict(os.environ)))"
    environment = json.loads(fresh(code))
    assert {name: environment[name] for name in PINNED if name in environment} == {
        name: value for name, value in PINNED.items() if "THREADS" in name or "CUBLAS" in name
    }


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the instruction set is of x86 processors")
def test_torch_obeys() -> None:
    code = "import regen, torch; print(torch.get_num_threads(), torch.backends.cpu.get_cpu_capability())"
    threads, capability = fresh(code).strip().split(" ", 1)
    # A processor without AVX2 takes less, none takes more.
    assert threads == "1" and capability in ("AVX2", "DEFAULT", "NO AVX")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the instruction set is of x86 processors")
def test_the_linear_algebra_of_numpy_and_scipy_obeys() -> None:
    code = "import regen, numpy, scipy.linalg, threadpoolctl\n"
    code += "print(*{one['architecture'] for one in threadpoolctl.threadpool_info() if one['internal_api'] == 'openblas'})"
    # A processor without AVX2 takes less; numpy built on another library has none.
    assert fresh(code).strip() in ("Haswell", "Sandybridge", "Nehalem", "")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the instruction set is of x86 processors")
def test_numpy_obeys() -> None:
    code = "import regen, numpy, json; print(json.dumps(numpy.show_config('dicts')['SIMD Extensions']))"
    extensions = json.loads(fresh(code))
    # X86_V3 is AVX2. A name that numpy did not know would leave its level in use.
    assert set(extensions["found"]) <= {"X86_V3"}
    assert set(extensions["not found"]) >= set(PINNED["NPY_DISABLE_CPU_FEATURES"].split())


@pytest.mark.parametrize("script", sorted((ROOT / "stages").glob("*.py")), ids=lambda path: path.stem)
def test_no_stage_imports_numpy_or_torch_before_the_package(script: Path) -> None:
    names = []
    body = ast.parse(script.read_text()).body
    # How stages are called imports the package before it runs one.
    for node in [*body, *(inner for outer in body if isinstance(outer, ast.If) for inner in outer.body)]:
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
    roots = [name.split(".")[0] for name in names]
    first = roots.index("regen")
    assert set(roots[:first]) <= sys.stdlib_module_names


def test_seeds_are_the_first_63_bits_of_sha256() -> None:
    digest = hashlib.sha256(b"0/train/3").hexdigest()
    assert derive_seed(0, "train", 3) == int(digest[:16], 16) // 2
    # printf '0/train/3' | sha256sum
    assert digest.startswith("fa15a22ebd717cbf")


def test_seeds_differ_by_every_part_and_fit_torch() -> None:
    seeds = [derive_seed(seed, purpose, epoch) for seed in range(5) for purpose in ("train", "validation") for epoch in range(20)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derive_seed(1, 2) != derive_seed(2, 1) != derive_seed(21)
    torch.manual_seed(max(seeds))


def test_stages_compute_deterministically_on_one_thread() -> None:
    # conftest.py calls make_deterministic() as every stage does.
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == 1
    assert not torch.backends.cudnn.benchmark
    # A denormal is flushed to zero.
    assert (torch.tensor([1e-30]) * 1e-10).item() == 0
