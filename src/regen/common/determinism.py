"""Everything that makes two runs give the same bits: instruction set, threads, seeds, algorithms."""

import hashlib
import os
import platform

__all__ = ["derive_seed", "make_deterministic", "pin_instruction_set"]

_X86 = ("x86_64", "AMD64")
_INSTRUCTION_SET = {
    # One common level, so that machines with and without AVX-512 take the same code paths.
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_CBWR": "AVX2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    # numpy's and scipy's; the name of their kernels for AVX2.
    "OPENBLAS_CORETYPE": "Haswell",
    # numpy's own loops beyond AVX2, by its names for them.
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}


def pin_instruction_set() -> None:
    """Set the environment variables that numpy and torch read once at import; the instruction sets are those of x86 alone."""
    if platform.machine() in _X86:
        os.environ.update(_INSTRUCTION_SET)
    # cuBLAS needs a fixed workspace to be deterministic (only read on a GPU).
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")


def derive_seed(*parts: int | str) -> int:
    """Return a 63-bit seed from its parts, so that every use of randomness has a stream of its own.

    Examples
    --------
    >>> derive_seed(0, "train", 3) == derive_seed(0, "train", 3)
    True
    >>> derive_seed(0, "train", 3) == derive_seed(0, "train", 4)
    False
    """
    digest = hashlib.sha256("/".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def make_deterministic(threads: int = 1) -> None:
    """Fix torch's thread count and algorithms; the one call at the top of every stage that computes.

    Results depend on the number of threads: it is a parameter (params.yaml, `compute.threads`).
    """
    import torch

    torch.set_num_threads(threads)
    # The same as use_deterministic_algorithms(True), without its import of the compiler, which takes two seconds.
    torch.set_deterministic_debug_mode("error")
    # Else every new tensor is filled with NaN first, against reading memory that nothing was written to: no code here does.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    # Gradients of pixels that are nearly always black decay into denormals, which cost a quarter of the speed.
    torch.set_flush_denormal(True)
    torch.distributions.Distribution.set_default_validate_args(False)
