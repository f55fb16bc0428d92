"""A warm interpreter: modules are imported once, then every command runs in a fork of it. Needs nothing but Python's own library.

`python warm.py [MODULE ...]` imports the modules in this order and then serves. Standard input has one JSON request a line,
{"id", "argv", "python", "cwd", "env", "log"}: with `python` the argv is what follows `python` on a command line (a script, a folder with a
`__main__.py`, or `-m` and a module), else it is executed as it is. Standard output has the answers, one a line: {"ready": true} at the
start, {"id", "pid"} when a command has begun, {"id", "status", "seconds", "cpu"} when it has ended, or {"id", "stale": FILE} where a file
of an imported module has changed since, so that the command has to run in another interpreter.

A command has a process group of its own. When standard input ends, because whoever started this is done or is gone, all groups are ended.
"""

import builtins
import contextlib
import gc
import importlib
import io
import json
import os
import runpy
import select
import signal
import sys
import time
import types
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["become", "main", "serve", "watched"]

GRACE = 2.0
"""Seconds between asking commands to end and ending them."""
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if hasattr(signal, "SIGHUP") else (signal.SIGINT, signal.SIGTERM)
Files = dict[str, tuple[int, int]]


def preload(modules: list[str]) -> None:
    """Import modules. One that cannot be imported is left to the command that needs it, which will say so."""
    for module in modules:
        with contextlib.suppress(BaseException):
            importlib.import_module(module)


def signature(path: str) -> tuple[int, int]:
    """Return a file's time of change in nanoseconds and size in bytes; zeros where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def watched() -> Files:
    """Return the signatures of the imported source files that do not belong to Python or its installed packages."""
    files = {getattr(module, "__file__", None) for name, module in list(sys.modules.items()) if name != "__main__"}
    own = {os.path.abspath(path) for path in files if path and not {"site-packages", "dist-packages"} & set(Path(path).parts)}
    library = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
    return {path: signature(path) for path in own if not path.startswith(library)}


def kill(group: int, number: signal.Signals) -> None:
    """Send a signal to every process of a command, if there are any left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


class Commands:
    """The commands that run, and the pipe on which their ends are told."""

    def __init__(self, replies: int) -> None:
        self.replies = replies
        self.running: dict[int, tuple[int, float]] = {}

    def tell(self, **answer: Any) -> None:
        """Write one answer; nobody may be there any more to read it."""
        with contextlib.suppress(OSError):
            os.write(self.replies, json.dumps(answer).encode() + b"\n")

    def reap(self) -> None:
        """Tell of every command that has ended, after ending what it left behind."""
        while self.running:
            try:
                pid, code, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if pid in self.running:
                number, began = self.running.pop(pid)
                kill(pid, signal.SIGKILL)
                seconds, cpu = time.monotonic() - began, used.ru_utime + used.ru_stime
                self.tell(id=number, status=os.waitstatus_to_exitcode(code), seconds=seconds, cpu=cpu)

    def end(self) -> None:
        """End all commands: asked first, then killed."""
        for number, until in ((signal.SIGTERM, time.monotonic() + GRACE), (signal.SIGKILL, time.monotonic() + 10 * GRACE)):
            for pid in self.running:
                kill(pid, number)
            while self.running and time.monotonic() < until:
                self.reap()
                time.sleep(0.01)


def fork() -> int:
    """Return the process number of a command that has begun; 0 in the command itself."""
    # A signal between the fork and the command's own handlers would run ours in both.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    pid = os.fork()
    # Both do it, for either may come first.
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)
    if not pid:
        signal.set_wakeup_fd(-1)
        for number in (*ENDING, signal.SIGCHLD):
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    return pid


def serve(requests: int, replies: int) -> dict[str, Any] | None:
    """Run commands until the requests end. Returns None then, and the request in the fork that is to become its command."""
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    files, commands, rest, me = watched(), Commands(replies), b"", os.getpid()
    commands.tell(ready=True)
    try:
        while True:
            ready, _, _ = select.select([requests, woken], [], [])
            if woken in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(woken, 4096)
                commands.reap()
            if requests not in ready:
                continue
            if not (read := os.read(requests, 1 << 16)):
                return None
            *lines, rest = (rest + read).split(b"\n")
            for request in map(json.loads, lines):
                if changed := next((path for path, was in files.items() if signature(path) != was), None):
                    commands.tell(id=request["id"], stale=changed)
                    continue
                if not (pid := fork()):
                    for pipe in (requests, replies, woken, wake):
                        os.close(pipe)
                    return dict(request)
                commands.running[pid] = request["id"], time.monotonic()
                commands.tell(id=request["id"], pid=pid)
    finally:
        if os.getpid() == me:
            commands.end()


def execute(argv: list[str], environment: dict[str, str]) -> NoReturn:
    """Become another program."""
    # Python ignores these, and they would stay ignored.
    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        os.execvpe(argv[0], argv, environment)
    except OSError as error:
        sys.exit(f"error: {argv[0]}: cannot be executed: {error.strerror}")


def become(request: dict[str, Any], environment: dict[str, str]) -> None:
    """Run a request's command in this process, as Python would from a command line; how it ends is left to the interpreter."""
    os.chdir(request["cwd"])
    log, null = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, null), (1, log), (2, log)):
        os.dup2(source, target)
    os.close(log)
    os.close(null)
    argv = request["argv"]
    if not request["python"]:
        execute(argv, {**environment, **request["env"]})
    os.environ.update(request["env"])
    importlib.invalidate_caches()
    sys.argv = list(argv)
    sys.modules["__main__"] = types.ModuleType("__main__")
    vars(sys.modules["__main__"])["__annotations__"] = {}
    if argv[0] == "-m":
        run_module(argv[1:])
    elif os.path.isdir(argv[0]):
        sys.path.insert(0, os.path.abspath(argv[0]))
        # What Python's own command line calls.
        runpy._run_module_as_main("__main__", alter_argv=False)  # type: ignore[attr-defined]
    else:
        run_script(argv[0])


def run_module(argv: list[str]) -> None:
    """Run `python -m MODULE ARGUMENTS`."""
    sys.argv = ["-m", *argv[1:]]
    if not sys.flags.safe_path:
        sys.path.insert(0, os.getcwd())
    runpy._run_module_as_main(argv[0])  # type: ignore[attr-defined]


def run_script(name: str) -> None:
    """Run `python SCRIPT`, its arguments being in `sys.argv`."""
    path = os.path.abspath(name)
    if not sys.flags.safe_path:
        sys.path.insert(0, os.path.dirname(os.path.realpath(name)))
    try:
        with io.open_code(path) as file:
            source = file.read()
    except OSError as error:
        print(f"{sys.executable}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}", file=sys.stderr)
        sys.exit(2)
    scope = vars(sys.modules["__main__"])
    scope.update(__file__=path, __cached__=None, __loader__=SourceFileLoader("__main__", path), __builtins__=builtins)
    exec(compile(source, path, "exec"), scope)


def main(modules: list[str]) -> None:
    """Import modules, serve, and in a fork become the command."""
    environment = dict(os.environ)
    # Its own folder is not for the modules and commands to import from.
    if not sys.flags.safe_path:
        del sys.path[0]
    requests, replies = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for target in (0, 1):
        os.dup2(null, target)
    os.close(null)
    preload(modules)
    gc.freeze()
    for number in ENDING[1:]:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: sys.exit(0))
    if request := serve(requests, replies):
        become(request, environment)


if __name__ == "__main__":
    main(sys.argv[1:])
