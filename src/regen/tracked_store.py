"""How MLflow's store is reached: its database's address, its own access to it, and the folders that its addresses name."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

__all__ = ["address", "backend", "local_path"]


def address(database: Path) -> str:
    """Return SQLAlchemy's address of a file, in which `%`, `#` and `?` of its path mean nothing."""
    return f"sqlite:///{quote(str(database))}"


def backend(of: str, artifacts: str = "artifacts") -> Any:
    """Return MLflow's own access to a database (untyped), which makes the tables if there are none.

    The client can neither change a run's start nor delete anything for good; `mlflow gc` goes this way too.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store: Any = SqlAlchemyStore
    return store(of, artifacts)


def local_path(uri: str) -> Path:
    """Return the folder that an address of artifacts names."""
    from mlflow.utils import file_utils

    files: Any = file_utils
    return Path(files.local_file_uri_to_path(uri))
