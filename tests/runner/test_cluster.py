"""Stages on workers of dask.distributed: real processes with folders of their own, on the loopback address."""

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from machines import Machines
from toy import Toy, stage

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
CODE: dict[str, Any] = {"meta": {"runner": {"code": ["work.py"]}}}


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with Machines.running(tmp_path_factory.mktemp("cluster") / "machines") as made:
        yield made


def run(toy: Toy, machines: Machines, *arguments: str) -> tuple[int, str]:
    return toy.run("--jobs", "1", "--cluster", machines.address, *arguments)


def files(toy: Toy) -> dict[str, bytes]:
    """Return the files of a repository; DVC adds lines to .gitignore in the order in which stages end."""
    return {name: b"".join(sorted(data.splitlines(True))) if name.endswith(".gitignore") else data for name, data in toy.files().items()}


def meta(**needs: Any) -> dict[str, Any]:
    return {"meta": {"runner": {"code": ["work.py"], **needs}}}


def test_a_pipeline_on_two_workers_gives_the_files_and_locks_of_dvc(toy: Callable[..., Toy], machines: Machines) -> None:
    stages = {f"a{number}": stage("in.txt", f"out/a{number}", f"more/a{number}", **CODE) for number in range(4)}
    here = toy({**stages, "b": stage("out/a0", "b.txt", **CODE), "all": stage("b.txt", "all.txt", **meta(here=True))})
    here.repro()
    expected = files(here)
    here.forget()
    status, said = run(here, machines)
    assert status == 0, said
    assert files(here) == expected
    assert "ran 6" in said
    # Nothing of a stage that ended well stays on a worker, and both know the same code.
    for number in range(2):
        assert not [path for path in machines.place(number).glob("tasks/*") if path.is_dir()]
    status, said = run(here, machines)
    assert status == 0 and "up to date 6" in said


def test_a_stage_sees_its_declared_inputs_and_nothing_else(toy: Callable[..., Toy], machines: Machines) -> None:
    listing = "import os, json; print(sorted(os.path.join(d, f) for d, _, fs in os.walk('.') for f in fs))"
    here = toy(
        {
            "list": {
                "cmd": "python show.py > seen.txt; env | grep DVC_ >> seen.txt",
                "deps": ["given"],
                "outs": ["seen.txt"],
                "meta": {"runner": {"code": ["show.py"]}},
            }
        }
    )
    (here.root / "show.py").write_text(listing)
    (here.root / "given/deep").mkdir(parents=True)
    (here.root / "given/deep/one.txt").write_text("1")
    (here.root / "given/empty.txt").write_text("")
    (here.root / "secret.txt").write_text("not declared")
    status, said = run(here, machines)
    assert status == 0, said
    seen, *variables = (here.root / "seen.txt").read_text().splitlines()
    found = set(json.loads(seen.replace("'", '"')))
    assert found == {"./show.py", "./given/deep/one.txt", "./given/empty.txt", "./.log", "./seen.txt"}
    assert "DVC_STAGE=list" in variables and any(str(machines.folder) in line for line in variables if line.startswith("DVC_ROOT="))


def test_logs_are_brought_and_whole_folders_come_back(toy: Callable[..., Toy], machines: Machines) -> None:
    here = toy(
        {
            "folder": {
                "cmd": [
                    "mkdir -p made/in logs/one",
                    "echo 1 > made/in/x; head -c 70000000 /dev/zero > made/big",
                    "echo text > logs/one/folder.txt",
                ],
                "deps": ["in.txt"],
                "outs": ["made"],
                **meta(bring=["logs/one"]),
            }
        }
    )
    (here.root / "logs/one").mkdir(parents=True)
    (here.root / "logs/one/older.txt").write_text("stays")
    status, said = run(here, machines)
    assert status == 0, said
    assert (here.root / "made/in/x").read_text() == "1\n"
    # More than two pieces of 32 MB, zeros all of it.
    assert (here.root / "made/big").read_bytes() == bytes(70_000_000)
    assert {path.name: path.read_text().strip() for path in (here.root / "logs/one").iterdir()} == {
        "folder.txt": "text",
        "older.txt": "stays",
    }


def test_a_failing_stage_on_a_worker_shows_its_log_and_stops_what_depends_on_it(toy: Callable[..., Toy], machines: Machines) -> None:
    here = toy(
        {
            "bad": stage("bad.txt", "out/bad", **CODE),
            "after": stage("out/bad", "out/after", **CODE),
            "fine": stage("in.txt", "out/fine", **CODE),
        }
    )
    (here.root / "bad.txt").write_text("bad")
    status, said = run(here, machines)
    assert status == 1
    assert "error: bad input" in said and "error: bad: the command ended with status 1" in said
    assert (here.root / "out/fine").exists() and not (here.root / "out/bad").exists() and not (here.root / "out/after").exists()
    assert "ran 1" in said and "not run 1" in said


def test_a_dependency_that_changes_while_the_pipeline_runs_is_refused_in_one_line(toy: Callable[..., Toy], machines: Machines) -> None:
    # The first stage runs on the driver's machine and edits what the second, which DVC has hashed by then, is about to send.
    here = toy({"use": stage("in.txt", "out/use", **CODE)})
    from regen.runner import sending

    original = sending.Bundle.pieces

    def edited(bundle: Any) -> Iterator[bytes]:
        if any(file.name == "in.txt" for file in bundle.files):
            (here.root / "in.txt").write_text("edit")
        return original(bundle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sending.Bundle, "pieces", edited)
        status, said = run(here, machines)
    assert status == 1
    [line] = [line for line in said.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: use: in.txt: expected the file as it was") and line.endswith("run the same again")
    assert not (here.root / "out/use").exists()
    status, said = run(here, machines)
    assert status == 0 and json.loads((here.root / "out/use").read_text())["of"] == "edit"


def test_an_output_that_a_stage_does_not_make_is_told_by_dvc(toy: Callable[..., Toy], machines: Machines) -> None:
    here = toy({"none": {"cmd": "echo nothing", "deps": ["in.txt"], "outs": ["never.txt"], **CODE}})
    status, said = run(here, machines)
    assert status == 1 and "never.txt" in said
    # It would only fail again: it is not taken over.
    assert "take over" not in run(here, machines)[1]


@pytest.mark.parametrize("where", ["regen.runner.placing._replace", "dvc.output.Output.commit"])
def test_what_a_worker_made_is_not_lost_where_this_machines_disk_is_full(toy: Callable[..., Toy], machines: Machines, where: str) -> None:
    here = toy({"a": {**stage("in.txt", "out/a", **CODE), "cmd": [f"echo x >> {machines.folder}/runs", "python work.py in.txt out/a"]}})
    (machines.folder / "runs").write_text("")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "out/a")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where, full)
        status, said = run(here, machines)
    assert status == 1 and "No space left on device" in said and "failed 1" in said
    status, said = run(here, machines)
    assert status == 0 and "take over a, which an earlier run had started" in said and "ran 1" in said
    assert json.loads((here.root / "out/a").read_text())["out"] == "out/a" and (machines.folder / "runs").read_text() == "x\n"
    # Then nothing of it is left.
    (here.root / "out/a").unlink()
    shutil.rmtree(here.root / ".dvc/cache")
    assert "take over" not in run(here, machines)[1] and (machines.folder / "runs").read_text() == "x\nx\n"


def test_a_stage_that_asks_for_a_gpu_waits_for_a_worker_that_has_one(toy: Callable[..., Toy], tmp_path: Path) -> None:
    show = {"cmd": "echo [$CUDA_VISIBLE_DEVICES] > visible.txt", "deps": ["in.txt"], "outs": ["visible.txt"]}
    here = toy(
        {
            "cuda": {**show, **meta(resources={"gpu": 1})},
            "cpu": {**show, "cmd": show["cmd"].replace("visible", "none"), "outs": ["none.txt"], **CODE},
        }
    )
    with Machines.running(tmp_path / "machines", workers=1) as machines:
        process = here.start("--cluster", machines.address)
        try:
            assert process.stdout is not None
            told = next(line for line in process.stdout if "no worker has" in line)
            assert told.startswith("no worker has gpu=1 for cuda; waiting for one: dask worker tcp://127.0.0.1:")
            machines.add("--nthreads", "2", "--resources", "cpu=1,gpu=2", CUDA_VISIBLE_DEVICES="5,7")
            rest = process.stdout.read()
            assert process.wait() == 0, rest
        finally:
            process.kill()
    # What did not ask for one sees none.
    assert (here.root / "visible.txt").read_text() == "[5]\n" and (here.root / "none.txt").read_text() == "[]\n"


def test_a_worker_with_another_version_is_refused_in_one_line_and_the_run_goes_on(toy: Callable[..., Toy], tmp_path: Path) -> None:
    here = toy({f"a{number}": stage("in.txt", f"out/a{number}", **CODE) for number in range(3)})
    (here.root / "requirements.lock").write_text("numpy==1.0 \\\n    --hash=sha256:00\npyyaml==1.0\n")
    other = tmp_path / "other/numpy-0.9.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.9\n")
    with Machines.running(tmp_path / "machines", workers=0) as machines:
        machines.add(PYTHONPATH=str(other.parent))
        machines.ready()
        process = here.start("--cluster", machines.address)
        try:
            assert process.stdout is not None
            refused, waits = process.stdout.readline(), process.stdout.readline()
            machines.add()
            rest = process.stdout.read()
            assert process.wait() == 0, rest
        finally:
            process.kill()
        assert machines.workers[0].wait(timeout=20) is not None
    import numpy

    assert refused.startswith("worker tcp://127.0.0.1:") and f" is not used: numpy: expected {numpy.__version__}, got 0.9" in refused
    assert waits.startswith(f"no worker can be used at {machines.address}; waiting for one: dask worker")
    assert {path.name for path in (here.root / "out").iterdir()} >= {"a0", "a1", "a2"}


def test_a_scheduler_that_is_not_there_is_told_in_one_line(toy: Callable[..., Toy], monkeypatch: pytest.MonkeyPatch) -> None:
    here = toy({"a": stage("in.txt", "out/a", **CODE)})
    monkeypatch.setattr("regen.runner.cluster.PATIENCE", 1)
    status, said = here.run("--cluster", "tcp://127.0.0.1:9")
    assert status == 1
    [line] = said.splitlines()
    assert line.startswith("error: tcp://127.0.0.1:9: expected a dask scheduler, got '") and line.endswith(
        "start one there: dask scheduler"
    )


def test_a_scheduler_file_leads_to_the_scheduler(toy: Callable[..., Toy], machines: Machines) -> None:
    here = toy({"a": stage("in.txt", "out/a", **CODE)})
    (here.root / "scheduler.json").write_text(json.dumps({"address": machines.address}))
    status, said = here.run("--cluster", "scheduler.json")
    assert status == 0, said
    status, said = here.run("--cluster", "absent.json")
    assert (
        status == 1
        and said.count("\n") == 1
        and "absent.json: expected tcp://HOST:PORT, tls://HOST:PORT or a scheduler file, got no such file" in said
    )


def test_nothing_that_a_worker_sends_is_written_outside_the_declared_outputs(tmp_path: Path) -> None:
    from regen.runner.errors import RunnerError
    from regen.runner.placing import place

    for name in ("../out", "out2/x", "out/../../x", str(tmp_path / "x")):
        with pytest.raises(RunnerError, match="expected a file below out, logs"):
            place(tmp_path / "root", {"out/fine": [b"1"], name: [b"2"]}, [], ["out"], ["logs"])
    assert os.listdir(tmp_path) == []


def certificates(folder: Path) -> list[str]:
    """Make an authority and a certificate as docs/cluster.md says; return the options that name them."""
    folder.mkdir()
    for line in (
        "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=ca -keyout ca.key -out ca.pem",
        "req -newkey rsa:2048 -nodes -subj /CN=node -keyout node.key -out node.csr",
        "x509 -req -in node.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -out node.pem",
    ):
        subprocess.run(["openssl", *line.split()], cwd=folder, check=True, capture_output=True)
    return ["--tls-ca-file", str(folder / "ca.pem"), "--tls-cert", str(folder / "node.pem"), "--tls-key", str(folder / "node.key")]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates, and is not installed")
def test_with_certificates_a_cluster_talks_tls_and_without_them_nothing_runs(toy: Callable[..., Toy], tmp_path: Path) -> None:
    here = toy({"a": stage("in.txt", "out/a", **CODE)})
    tls, others = certificates(tmp_path / "tls"), certificates(tmp_path / "others")
    with Machines.running(tmp_path / "machines", 1, *tls, scheme="tls") as machines:
        status, said = here.run("--cluster", machines.address)
        assert status == 1 and said.count("\n") == 1
        assert "expected certificates, got no --tls-ca-file and no --tls-cert" in said
        status, said = here.run("--cluster", machines.address, *others)
        assert status == 1 and said.count("\n") == 1 and not (here.root / "out/a").exists()
        status, said = here.run("--cluster", machines.address, *tls)
        assert status == 0, said
    assert (here.root / "out/a").exists()


def test_a_scheduler_that_the_network_can_reach_is_refused_though_it_is_asked_on_the_loopback_address(
    toy: Callable[..., Toy], tmp_path: Path
) -> None:
    here = toy({"a": stage("in.txt", "out/a", **CODE)})
    with Machines.running(tmp_path / "machines", 0, host="0.0.0.0") as machines:
        status, said = here.run("--cluster", machines.address)
    assert status == 1 and said.count("\n") == 1
    assert said.startswith("error: the scheduler: expected a loopback address or TLS, got tcp://")
