"""Stages side by side give what `dvc repro` gives; what fails stops what depends on it and nothing else."""

import errno
import inspect
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from toy import Toy, stage

from regen.runner import driver

Make = Callable[[dict[str, Any]], Toy]


def result(source: str, *outs: str) -> dict[str, Any]:
    """Return a stage whose outputs are in git."""
    return {**stage(source, *outs), "outs": [], "metrics": [{out: {"cache": False}} for out in outs]}


def runner(**needs: Any) -> dict[str, Any]:
    return {"meta": {"runner": needs}}


CHAINS = {
    "configure": stage("in.txt", "conf.txt", **runner(gate=True, preload=["json"])),
    **{f"train-{name}": stage("conf.txt", f"models/{name}.txt") for name in "ab"},
    **{f"test-{name}": result(f"models/{name}.txt", f"results/{name}.json") for name in "ab"},
    "report": {"cmd": "cat results/*.json > report.txt", "deps": ["results"], "outs": [{"report.txt": {"cache": False}}]},
}


def counts(said: str) -> dict[str, int]:
    """Return what the summary says."""
    line = next(line for line in said.splitlines() if line.startswith("ran "))
    return {how: int(number) for how, number in (part.rsplit(" ", 1) for part in line.partition(";")[0].split(", "))}


def test_the_pinned_parts_of_dvc_are_as_expected() -> None:
    import dvc.stage.cache
    import dvc.stage.run
    from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro
    from dvc.stage import PipelineStage, Stage

    def names(function: Callable[..., Any]) -> list[str]:
        return list(inspect.signature(function).parameters)

    # The one function that is replaced, looked up where it is called; and all that is called.
    assert names(dvc.stage.run.cmd_run) == names(driver.Driver(_plan(), None, None).command) == ["stage", "dry", "run_env"]  # type: ignore[arg-type]
    assert "unlocked_repo(cmd_run)" in inspect.getsource(dvc.stage.run.run_stage)
    assert names(dvc.stage.run._make_cmd) == ["executable", "cmd"] and names(dvc.stage.run.prepare_kwargs) == ["stage", "run_env"]
    assert names(dvc.stage.run.get_executable) == []
    assert (
        names(collect_stages)[:2] == ["repo", "targets"]
        and names(get_active_graph) == ["graph"]
        and names(plan_repro)[:2] == ["graph", "stages"]
    )
    assert names(Stage.reproduce)[:1] == ["self"] and "force" in inspect.getsource(Stage.reproduce) and issubclass(PipelineStage, Stage)
    assert names(dvc.stage.cache._get_cache_hash) == ["cache", "key"]
    assert "_get_cache_hash(to_single_stage_lockfile(stage), key=True)" in inspect.getsource(dvc.stage.cache._get_stage_hash)
    assert names(dvc.stage.cache.StageCache._get_cache_dir) == ["self", "key"]


def _plan() -> Any:
    class Empty:
        upstream: dict[Any, Any] = {}
        stages: list[Any] = []
        folder = Path("nothing")

    return Empty()


def test_the_files_and_locks_are_those_of_dvc_repro(toy: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = toy(CHAINS)
    status, said = made.run("--jobs", "2")
    assert status == 0 and counts(said) == {"ran": 6, "restored": 0, "up to date": 0, "failed": 0, "not run": 0}
    assert {line.split()[1] for line in said.splitlines() if line.startswith("done ")} == set(CHAINS)
    ours = made.files()
    assert counts(made.run()[1])["up to date"] == 6
    # What is up to date is settled before any stage is started.
    with monkeypatch.context() as patched:
        patched.setattr(driver.Driver, "work", lambda self, stage: self.ends.put((stage, RuntimeError("started"))))
        assert counts(made.run()[1]) == {"ran": 0, "restored": 0, "up to date": 6, "failed": 0, "not run": 0}
    made.forget()
    made.repro()
    theirs = made.files()
    # DVC's own order of a new lock is another one in each process.
    assert {name: data for name, data in theirs.items() if name != "dvc.lock"} == {
        name: data for name, data in ours.items() if name != "dvc.lock"
    }
    assert yaml.safe_load(theirs["dvc.lock"]) == yaml.safe_load(ours["dvc.lock"])
    assert list(yaml.safe_load(ours["dvc.lock"])["stages"]) == list(CHAINS)
    # And each takes what the other made as up to date.
    assert counts(made.run()[1])["ran"] == 1  # The report's only output is in git's hands, and the runner has not seen it made.
    assert counts(made.run()[1])["up to date"] == 6


def test_what_dvc_has_in_its_run_cache_is_restored(toy: Make) -> None:
    made = toy(CHAINS)
    made.run()
    before = made.files()
    for name in ("conf.txt", "models/a.txt", "results/b.json"):
        Path(name).unlink()
    status, said = made.run()
    assert status == 0 and made.files() == before
    assert {line.split()[1] for line in said.splitlines() if line.startswith("restored ")} == {"configure", "train-a", "test-b"}


def test_a_failing_stage_stops_what_depends_on_it_and_nothing_else(toy: Make) -> None:
    made = toy({**CHAINS, "train-a": stage("bad.txt", "models/a.txt")})
    Path("bad.txt").write_text("bad")
    status, said = made.run()
    assert status == 1 and counts(said) == {"ran": 3, "restored": 0, "up to date": 0, "failed": 1, "not run": 2}
    assert "made models/a.txt\nerror: bad input" in said and "error: train-a: the command ended with status 1" in said
    assert "made models/b.txt" not in said
    assert list(yaml.safe_load(Path("dvc.lock").read_text())["stages"]) == ["configure", "train-b", "test-b"]
    Path("bad.txt").write_text("fine")
    status, said = made.run()
    assert status == 0 and counts(said)["ran"] == 3 and counts(said)["up to date"] == 3


def test_a_gate_that_fails_stops_everything(toy: Make) -> None:
    made = toy({**CHAINS, "alone": stage("work.py", "alone-slow.txt")})
    Path("in.txt").write_text("bad")
    began = time.monotonic()
    status, said = made.run("--jobs", "2")
    assert status == 1 and counts(said)["ran"] == 0 and counts(said)["failed"] == 1
    assert time.monotonic() - began < 30 and not Path("alone-slow.txt").exists()


@pytest.mark.parametrize(
    ("targets", "ran"),
    [
        ([], {"configure", "train-a", "train-b", "test-a", "test-b", "report"}),
        (["dvc.yaml"], {"configure", "train-a", "train-b", "test-a", "test-b", "report"}),
        (["test-a"], {"configure", "train-a", "test-a"}),
        (["part/dvc.yaml"], {"configure", "train-a", "part/dvc.yaml:more@x"}),
        (["part/dvc.yaml:more@x", "train-b"], {"configure", "train-a", "train-b", "part/dvc.yaml:more@x"}),
    ],
)
def test_targets_are_those_of_dvc_repro_with_what_is_upstream(toy: Make, targets: list[str], ran: set[str]) -> None:
    made = toy(CHAINS)
    more = {**stage("models/a.txt", "part/more-${item.v}.txt"), "wdir": "..", "matrix": {"v": ["x"]}}
    made.stages({"more": more}, "part/dvc.yaml")
    status, said = made.run(*targets)
    assert status == 0, said
    assert {line.split()[1] for line in said.splitlines() if line.startswith("done ")} == ran


def test_another_pipeline_is_left_unread_if_asked_for(toy: Make) -> None:
    made = toy({"a": stage("in.txt", "out.txt")})
    Path("other").mkdir()
    Path("other/dvc.yaml").write_text("stages: none of them\n")
    status, said = made.run()
    assert status == 1 and "other/dvc.yaml" in said
    status, said = made.run("--without", "other")
    assert status == 0 and counts(said)["ran"] == 1


def test_shells_lists_and_environments_are_dvcs(toy: Make) -> None:
    show = "python -c \"import os; print(os.environ['DVC_STAGE'], os.environ['DVC_ROOT'])\" > b.txt"
    made = toy(
        {"a": {"cmd": ["echo one > a.txt", "python work.py in.txt b.txt", show, "echo $DVC_STAGE >> a.txt"], "outs": ["a.txt", "b.txt"]}}
    )
    assert made.run()[0] == 0
    ours = made.files()
    assert ours["a.txt"] == b"one\na\n" and ours["b.txt"] == f"a {made.root}\n".encode()
    made.forget()
    made.repro()
    assert made.files() == ours


def test_the_first_of_several_commands_that_fails_is_the_last(toy: Make) -> None:
    made = toy({"a": {"cmd": ["echo one", "exit 4", "touch a.txt"], "outs": ["a.txt"]}})
    status, said = made.run()
    assert status == 1 and "status 4" in said and not Path("a.txt").exists()


def test_a_missing_output_and_a_missing_dependency_are_lines(toy: Make) -> None:
    made = toy({"a": {"cmd": "true", "outs": ["a.txt"]}, "b": stage("nothing.txt", "b.txt")})
    status, said = made.run()
    assert status == 1 and counts(said)["failed"] == 2 and "Traceback" not in said
    assert "error: a: output 'a.txt' does not exist" in said and "error: b: " in said and "nothing.txt" in said
    assert "dvc commit" not in said


def test_what_a_command_made_is_not_lost_where_dvc_cannot_save_it(toy: Make) -> None:
    from dvc.cli import main as dvc
    from dvc.output import Output

    made = toy({"a": {**stage("in.txt", "a.txt"), "cmd": ["echo x >> ../runs", "python work.py in.txt a.txt"]}})
    with pytest.MonkeyPatch.context() as full:
        full.setattr(Output, "commit", raising(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
        status, said = made.run()
    assert status == 1 and counts(said)["failed"] == 1
    [line] = [line for line in said.splitlines() if line.startswith("error: ")]
    assert "No space left on device; its command ended well, and its outputs are in the work tree" in line
    assert dvc(line.rpartition("'dvc ")[2].rstrip("'").split()) == 0
    assert counts(made.run()[1])["up to date"] == 1 and Path("../runs").read_text() == "x\n"


def raising(error: Exception) -> Callable[..., None]:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


def test_logs_are_shown_of_failures_or_if_asked_for(toy: Make) -> None:
    made = toy({"a": stage("in.txt", "a.txt")})
    assert "made a.txt" not in made.run()[1]
    Path("in.txt").write_text("other")
    assert "--- a\nmade a.txt\n---" in made.run("--verbose")[1]
    assert Path(".dvc/tmp/runner/logs/a.log").read_text() == "made a.txt\n"


def test_a_stage_says_that_it_resumes(toy: Make) -> None:
    made = toy({"a": stage("in.txt", "a.txt", **runner(keep=["checkpoints/a", "checkpoints/b"]))})
    Path("checkpoints/a").mkdir(parents=True)
    Path("checkpoints/a/state").write_text("")
    os.utime("checkpoints/a/state", (time.time() - 185, time.time() - 185))
    said = made.run()[1]
    assert [line for line in said.splitlines() if line.startswith("resume")] == ["resume a from checkpoints/a (3 min 5 s old)"]


def test_what_stages_took_is_remembered(toy: Make) -> None:
    made = toy(CHAINS)
    made.run()
    took = json.loads(Path(".dvc/tmp/runner/durations.json").read_text())
    assert set(took) == set(CHAINS) and all(0 <= seconds < 60 for seconds in took.values())


def test_a_clone_that_never_ran_anything_runs_everything(toy: Make) -> None:
    # Nothing is in DVC's cache alone: all of it comes with the clone.
    stages = {
        name: result(old["deps"][-1], *[str(out) for out in old["outs"]])
        for name, old in CHAINS.items()
        if name in ("configure", "train-a")
    }
    made = toy({**stages, "report": {**CHAINS["report"], "deps": ["models"]} | {"cmd": "cat models/a.txt > report.txt"}})
    made.repro()
    made.git("add", "-A")
    made.git("commit", "-qm", "all")
    made.git("clean", "-qfdx")
    for name in ("tmp", "cache"):
        assert not Path(".dvc", name).exists()
    before = made.files()
    assert "to run" in made.run("--dry")[1]
    status, said = made.run()
    assert status == 0 and counts(said)["ran"] == 3
    assert made.files() == before
    assert counts(made.run()[1]) == {"ran": 0, "restored": 0, "up to date": 3, "failed": 0, "not run": 0}
    # What DVC itself ran is known from its run cache, where DVC keeps the stage there.
    made.git("clean", "-qfdx")
    made.repro("--force")
    assert counts(made.run()[1])["up to date"] == 2


def test_the_graph_has_a_node_a_sort_of_stage_and_no_edge_that_follows_from_others(toy: Make) -> None:
    stages = {"a-x": stage("in.txt", "ax.txt"), "a-y": stage("in.txt", "ay.txt"), "b-x": stage("ax.txt", "bx.txt")}
    last = stage("bx.txt", "c.txt")
    last["deps"] = [*last["deps"], "ax.txt", "ay.txt"]
    made = toy({**stages, "c": last})
    assert made.run("--graph") == (0, "flowchart TD\n  a --> b\n  b --> c\n")


def test_dry_lists_kinds_and_runs_nothing(toy: Make) -> None:
    made = toy(
        {
            "train": {"matrix": {"v": ["x", "y"]}, **stage("in.txt", "${item.v}.txt")},
            "join": {"cmd": "cat x.txt y.txt > z.txt", "deps": ["x.txt", "y.txt"], "outs": ["z.txt"]},
        }
    )
    said = made.run("--dry")[1]
    assert [line.split() for line in said.splitlines()[1:]] == [["train", "2", "-"], ["join", "1", "-"], ["all", "3", "0", "of", "3"]]
    assert not Path("x.txt").exists() and not Path("dvc.lock").exists()
    made.run()
    assert made.run("--dry") == (0, "nothing to do: everything is up to date\n")
    Path("in.txt").write_text("other")
    said = made.run("--dry")[1]
    assert [line.split() for line in said.splitlines()[1:]] == [["train", "2", "-"], ["join", "-", "1"], ["all", "2", "1", "of", "3"]]


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "1.5", ""])
def test_a_number_of_jobs_that_is_none_is_one_line(toy: Make, jobs: str) -> None:
    assert toy({}).run(f"--jobs={jobs}") == (1, f"error: --jobs {jobs}: expected a whole number from 1\n")


def test_without_git_it_is_one_line(toy: Make) -> None:
    made = toy({})
    Path(".git").rename("../git")
    status, said = made.run()
    assert status == 1 and said.count("\n") == 1 and said.startswith(f"error: {made.root}: expected a git repository")


@pytest.mark.parametrize(
    ("stages", "targets", "said"),
    [
        ({"a": stage("in.txt", "a.txt")}, ["b"], "b"),
        ({"a": stage("in.txt", "a.txt", **runner(gates=True))}, [], "a: meta: runner: unknown key 'gates'"),
        ({"a": {"cmd": 1, "outs": ["x"], "what": 2}}, [], "dvc.yaml"),
    ],
)
def test_a_wrong_target_or_pipeline_is_one_line(toy: Make, stages: dict[str, Any], targets: list[str], said: str) -> None:
    status, log = toy(stages).run(*targets)
    assert status == 1 and log.startswith("error: ") and log.count("\n") == 1 and said in log


def test_long_chains_start_first(toy: Make) -> None:
    names = ["a", "b", "c", "d", "e"]
    made = toy({name: stage("in.txt", f"{name}.txt") for name in names})
    Path(".dvc/tmp/runner").mkdir(parents=True)
    Path(".dvc/tmp/runner/durations.json").write_text(json.dumps({name: number for number, name in enumerate(names)}))
    said = made.run("--jobs", "1")[1]
    # As many as the pool's slots and two more are inside DVC at once: nothing is said of the order among these.
    order = [line.split()[1] for line in said.splitlines() if line.startswith("done ")]
    assert order.index("a") >= 2 and set(order[:1]) <= {"e", "d", "c"}
    assert list(yaml.safe_load(Path("dvc.lock").read_text())["stages"]) == names
