"""The parts of the cluster's pool by themselves: addresses, what makes a worker differ, shares of GPUs, files in pieces."""

import hashlib
import threading
from pathlib import Path

import psutil
import pytest
from machines import until

from regen.runner.address import check_address, loopback
from regen.runner.errors import RunnerError
from regen.runner.sending import Bundle, File
from regen.runner.worker import bundles, warmth
from regen.runner.worker.environment import differences, instruction_set
from regen.runner.worker.gpus import Gpus
from regen.runner.worker.place import locked


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.8.7", "::1", "localhost"])
def test_this_machines_own_addresses_need_no_tls(host: str) -> None:
    assert loopback(host)
    check_address(f"tcp://[{host}]:8786" if ":" in host else f"tcp://{host}:8786", "it")


@pytest.mark.parametrize("host", ["10.0.0.5", "0.0.0.0", "[2001:db8::1]", "lab1", "localhost.example.org", "128.0.0.1"])
def test_any_other_address_is_refused_without_tls(host: str) -> None:
    check_address(f"tls://{host}:8786", "it")
    with pytest.raises(RunnerError, match=r"^it: expected a loopback address or TLS, got tcp://.*:8786: whoever can reach it"):
        check_address(f"tcp://{host}:8786", "it")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1", "ucx://127.0.0.1:1", "127.0.0.1:8786", "tcp://:8786", "tcp://127.0.0.1:port"])
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(RunnerError, match="expected an address such as"):
        check_address(address, "it")


def test_the_instruction_set_tells_makers_and_avx2_apart_and_not_avx512() -> None:
    def flags(text: str, maker: str = "AuthenticAMD") -> str:
        return instruction_set("x86_64", f"processor : 0\nvendor_id\t: {maker}\nflags\t\t: fpu sse2 {text}\nbogomips: 1\n")

    assert flags("avx avx2 avx512f") == flags("avx avx2") == "x86_64 AuthenticAMD with AVX2"
    assert flags("avx") == "x86_64 AuthenticAMD without AVX2"
    assert flags("avx avx2", "GenuineIntel") == "x86_64 GenuineIntel with AVX2"
    assert instruction_set("aarch64", "Features : fp asimd\n") == "aarch64"


def test_differences_are_named_and_the_rest_is_counted() -> None:
    expected = {"python": "3.11", "a": "1", "b": "2", "c": "3", "d": "none"}
    assert differences(expected, {**expected, "e": "5"}) == ""
    assert (
        differences(expected, {"python": "3.12", "a": "1", "b": "2", "c": "3", "d": "4"})
        == "python: expected 3.11, got 3.12; d: expected none, got 4"
    )
    assert differences(expected, {}) == "python: expected 3.11, got none; a: expected 1, got none; b: expected 2, got none; 1 more"


def test_shares_of_gpus_never_exceed_one_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-a")
    gpus = Gpus(2)
    with gpus.share(0.5) as first, gpus.share(0.5) as second, gpus.share(0.6) as third:
        assert first == second != third and {first, third} == {"3", "GPU-a"}
        got = threading.Event()

        def later() -> None:
            with gpus.share(0.5) as visible:
                assert visible == first
                got.set()

        thread = threading.Thread(target=later)
        thread.start()
        assert not got.wait(0.1)
    thread.join(timeout=10)
    assert got.is_set()
    with gpus.share(2) as both:
        assert both == "3,GPU-a"
    with gpus.share(0) as none:
        assert none == ""
    with pytest.raises(ValueError, match="expected 3 GPUs, got 2"), gpus.share(3):
        pass


def test_without_a_list_gpus_are_numbered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with Gpus(2).share(2) as visible:
        assert visible == "0,1"


def test_files_come_out_of_pieces_as_they_went_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "PIECE", 7)
    contents = {"a": b"", "b/c": b"0123456789" * 3, "b/d": b"x", "e": b"1234567"}
    files = []
    for name, data in contents.items():
        (tmp_path / "from" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "from" / name).write_bytes(data)
        files.append(File(name, tmp_path / "from" / name, hashlib.md5(data).hexdigest(), len(data)))
    bundle = Bundle(tuple(files))
    pieces = list(bundle.pieces())
    assert max(map(len, pieces)) == 7
    bundles.unpack(tmp_path / "to", bundle.listing, pieces)
    assert {name: (tmp_path / "to" / name).read_bytes() for name in contents} == contents
    with pytest.raises(ValueError, match="bytes are missing"):
        bundles.unpack(tmp_path / "to", bundle.listing, pieces[:-1])
    with pytest.raises(ValueError, match="expected a path inside"):
        bundles.unpack(tmp_path / "to", [("../x", 1)], [b"x"])


def test_code_is_linked_except_where_something_is_written_inside_it(tmp_path: Path) -> None:
    code, box = tmp_path / "code", tmp_path / "box"
    for name in ("src/a/one.py", "src/b/two.py", "main.py"):
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text(name)
    box.mkdir()
    bundles.link(code, box, ["src/a/made/out.txt", "main.py"])
    (box / "src/a/made").mkdir()
    assert (box / "src/a/one.py").read_text() == "src/a/one.py" and (box / "src/b").is_symlink()
    assert not (box / "main.py").exists() and not (code / "src/a/made").exists()


def test_a_task_that_two_workers_of_a_machine_are_given_has_two_folders(tmp_path: Path) -> None:
    with locked(tmp_path, "key", ["kept/x"]) as first, locked(tmp_path, "key", ["kept/x"]) as second:
        assert first != second
        (first / "kept/x").mkdir(parents=True)
        (first / "kept/x/step").write_text("7")
        (first / "kept/y").write_text("")
        (first / "rest").write_text("")
    with locked(tmp_path, "key", ["kept/x"]) as again:
        assert [path.relative_to(again).as_posix() for path in again.rglob("*") if path.is_file()] == ["kept/x/step"]


def test_an_idle_worker_ends_its_interpreters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warmth, "IDLE", 0.2)
    (tmp_path / "box").mkdir()
    warm = warmth.Warmth(tmp_path)
    task = {
        "key": "k",
        "paths": [],
        "preload": [],
        "env": {},
        "early": [],
        "cwd": ".",
        "commands": [(("-m", "platform"), True), (("false",), False)],
    }
    for _ in range(2):
        ended = warm.run(task, tmp_path, tmp_path / "box")
        assert ended["status"] == 1 and not ended["ended"] and ended["log"]
        [pid] = [child.pid for child in psutil.Process().children() if "warm.py" in " ".join(child.cmdline())]
        until(lambda pid=pid: not psutil.pid_exists(pid))
