"""Show a preset's runs in MLflow, on this machine alone: `python scripts/ui.py PRESET PORT`.

Brings the store up to date, prints the address of a saved view, and becomes the server: one process beside the one that asks it.
"""

import os
import socket
import sys
from pathlib import Path
from urllib.parse import quote

from regen.common.errors import UserError
from regen.common.files import write_text
from regen.stage import run

HOST = "127.0.0.1"


def main(preset: str, port: str) -> None:
    """Serve until Ctrl-C.

    Raises
    ------
    UserError
        If the port is no port or is taken, or the store cannot be brought up to date.
    """
    check_port(port)
    from regen.tracking import first_view, synchronise

    write_text(Path("mlflow", preset, "synced.txt"), synchronise(Path(), preset))
    print(f"open http://{HOST}:{port}/{first_view(Path(), preset)} (Ctrl-C ends it)", flush=True)
    # Without the queue for jobs, which are of language models: it starts eight more processes.
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    # Relative, so that no character of this folder's path can mean something in an address.
    store = ["--backend-store-uri", f"sqlite:///mlflow/{quote(preset)}/mlflow.db"]
    command = [sys.executable, "-m", "mlflow", "server", *store, "--host", HOST, "--port", port, "--workers", "1"]
    os.execv(command[0], command)


def check_port(port: str) -> None:
    """Refuse a port that cannot be listened to."""
    if not port.isdecimal() or not 0 < int(port) < 2**16:
        raise UserError(f"PORT = '{port}': allowed: a number from 1 to 65535")
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((HOST, int(port)))
        except OSError as error:
            raise UserError(f"port {port}: expected a free one, got '{error.strerror}'; choose another with 'make ui PORT=5001'") from error


if __name__ == "__main__":
    run(main, "scripts/ui.py", sys.argv[1:])
