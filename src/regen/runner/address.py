"""Where the scheduler is, and whether it may be talked to: on this machine, or encrypted.

A loopback address keeps other machines away, not other users of this one: without TLS it is for a machine that only you log in to.
"""

import ipaddress
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .errors import RunnerError

__all__ = ["check_address", "loopback", "scheduler_address", "security"]


def scheduler_address(given: str) -> str:
    """Return the address that is given, or that a scheduler file holds.

    Raises
    ------
    RunnerError
        If it is neither an address nor a scheduler file, or leads to another machine without TLS.
    """
    address = given
    if "://" not in given:
        try:
            address = json.loads(Path(given).read_text(encoding="utf-8"))["address"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunnerError(
                f"--cluster {given}: expected tcp://HOST:PORT, tls://HOST:PORT or a scheduler file, got {_reason(error)}; "
                f"'dask scheduler --scheduler-file {given}' makes one"
            ) from error
    check_address(address, "the scheduler")
    return address


def _reason(error: Exception) -> str:
    return "no such file" if isinstance(error, FileNotFoundError) else f"{type(error).__name__}: {error}"


def loopback(host: str) -> bool:
    """Return whether a host is this machine as only itself, with all its users, can see it: 127.0.0.0/8, ::1 or localhost."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_address(address: str, who: str) -> None:
    """Refuse an address that other machines can reach without TLS: whoever reaches it can run any code.

    Raises
    ------
    RunnerError
        If it is such an address, or none at all.
    """
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("tcp", "tls") and parts.hostname and parts.port
    except ValueError:
        usable = None
    if not usable:
        raise RunnerError(f"{who}: expected an address such as tcp://127.0.0.1:8786 or tls://HOST:8786, got {address}")
    if parts.scheme == "tcp" and not loopback(parts.hostname or ""):
        raise RunnerError(
            f"{who}: expected a loopback address or TLS, got {address}: whoever can reach it can run any code there; "
            "start it with '--host 127.0.0.1', or with '--protocol tls' and certificates"
        )


def security(address: str, ca: str | None, cert: str | None, key: str | None) -> Any:
    """Return the certificates for a scheduler: the given files, or those of dask's own configuration; None without TLS.

    Raises
    ------
    RunnerError
        If the address asks for TLS and there is no usable certificate.
    """
    from distributed import Security

    if not address.startswith("tls://"):
        return None
    given = {"tls_ca_file": ca, "tls_client_cert": cert, "tls_client_key": key}
    found: Any = Security(require_encryption=True, **{name: value for name, value in given.items() if value})
    wanted = {"--tls-ca-file": found.tls_ca_file, "--tls-cert": found.tls_client_cert}
    try:
        if missing := [option for option, value in wanted.items() if not value]:
            raise RunnerError(
                f"{address}: expected certificates, got no {' and no '.join(missing)}, neither here nor in dask's configuration"
            )
        found.get_connection_args("client")
    except OSError as error:
        files = ", ".join(str(value) for value in (found.tls_ca_file, found.tls_client_cert, found.tls_client_key) if value)
        raise RunnerError(f"{address}: expected certificates, got '{error.strerror or error}' from {files}") from error
    return found
