"""SQLite databases with nothing in them, copied from one that was made once: making the tables takes ten times as
long."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from loom.store.database import Database


@functools.cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "loom.db"
        Database.open(f"sqlite:///{file}").close()
        return file.read_bytes()


def new_sqlite(folder: Path) -> str:
    """The URL of `loom.db` in this folder, which is made unless it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "loom.db"
    if not file.exists():
        file.write_bytes(_empty())
    return f"sqlite:///{file}"
