"""The number of cores is the affinity, cut by the quotas of control groups."""

import os
from pathlib import Path

import pytest

from regen.runner.cores import cores


@pytest.fixture
def sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be allowed to run on 16 cores."""
    name = "process_cpu_count" if hasattr(os, "process_cpu_count") else "sched_getaffinity"
    monkeypatch.setattr(os, name, (lambda: 16) if name == "process_cpu_count" else lambda pid: set(range(16)), raising=False)


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


V2 = {"proc/self/cgroup": "0::/a/b\n"}
V1 = {"proc/self/cgroup": "3:memory:/x\n2:cpu,cpuacct:/docker/1\n"}


@pytest.mark.usefixtures("sixteen")
@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 16),
        (V2, 16),
        (V2 | {"sys/fs/cgroup/a/b/cpu.max": "max 100000\n"}, 16),
        (V2 | {"sys/fs/cgroup/a/b/cpu.max": "400000 100000\n"}, 4),
        (V2 | {"sys/fs/cgroup/a/b/cpu.max": "150000 100000\n"}, 1),
        (V2 | {"sys/fs/cgroup/a/b/cpu.max": "20000 100000\n"}, 1),
        # The group above has less.
        (V2 | {"sys/fs/cgroup/a/b/cpu.max": "800000 100000\n", "sys/fs/cgroup/a/cpu.max": "300000 100000\n"}, 3),
        # In a container the root of the mount is the group itself.
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
        # Both versions side by side.
        ({"proc/self/cgroup": "1:name=systemd:/\n0::/a\n", "sys/fs/cgroup/unified/a/cpu.max": "500000 100000\n"}, 5),
        (V1 | {f"sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_{k}_us": v for k, v in {"quota": "600000\n", "period": "100000\n"}.items()}, 6),
        (V1 | {f"sys/fs/cgroup/cpu/cpu.cfs_{k}_us": v for k, v in {"quota": "100000\n", "period": "50000\n"}.items()}, 2),
        (V1 | {f"sys/fs/cgroup/cpu/cpu.cfs_{k}_us": v for k, v in {"quota": "-1\n", "period": "100000\n"}.items()}, 16),
        (V2 | {"sys/fs/cgroup/a/b/cpu.max": "9900000 100000\n"}, 16),
    ],
)
def test_quotas_cut_the_cores(tmp_path: Path, files: dict[str, str], expected: int) -> None:
    assert cores(tree(tmp_path, files)) == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs affinities")
def test_this_process_may_use_what_it_is_bound_to() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, before)
    assert 1 <= cores() <= len(before)
