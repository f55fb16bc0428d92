"""The part of this package that runs on workers, as one archive under a name with its hash: no version is taken for another."""

import hashlib
import importlib
import io
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["ship"]

HERE = Path(__file__).parent
SHIPPED = ("errors.py", "interpreter.py", "warm.py")
OLD = (1980, 1, 1, 0, 0, 0)
"""The date of every member: the same files make the same bytes."""


def _archive() -> tuple[str, bytes]:
    """Return the name of the package that workers import, and an archive of it."""
    sources = {name: (HERE / name).read_bytes() for name in SHIPPED}
    sources |= {f"worker/{path.name}": path.read_bytes() for path in sorted((HERE / "worker").glob("*.py"))}
    sources["__init__.py"] = b""
    digest = hashlib.sha256(b"".join(name.encode() + data for name, data in sorted(sources.items()))).hexdigest()[:12]
    package, archive = f"{__package__.replace('.', '_')}_{digest}", io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for name, data in sorted(sources.items()):
            writer.writestr(zipfile.ZipInfo(f"{package}/{name}", OLD), data)
    return package, archive.getvalue()


def ship(client: Any, folder: Path) -> ModuleType:
    """Give the scheduler and all workers, those to come too, the package; return its part `worker` as they know it."""
    from distributed.diagnostics.plugin import SchedulerUploadFile, UploadFile

    package, data = _archive()
    file = folder / f"{package}.zip"
    file.write_bytes(data)
    # dask's own upload_file registers the same file anew for every driver; under one name it is registered once.
    for plugin in (SchedulerUploadFile(str(file)), UploadFile(str(file))):
        plugin.idempotent = True
        client.register_plugin(plugin, name=package)
    if str(file) not in sys.path:
        sys.path.append(str(file))
    return importlib.import_module(f"{package}.worker")
