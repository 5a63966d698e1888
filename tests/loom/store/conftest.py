"""A Loom over SQLite in a folder of its own, and other processes beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databases import new_sqlite
from ledgers import SilentBus, toy_operators
from privatepg import PrivatePostgreSQL, until_done

from loom.service import LocalLoom
from loom.store.database import Database

PRELUDE = """
import os, resource, sys
from pathlib import Path
from ledgers import *
from loom.errors import LoomError
from loom.service import LocalLoom
from loom.store.database import Database
folder = Path(sys.argv[1])
def open_loom(**more):
    database = Database.open(f"sqlite:///{folder}/loom.db", **more)
    return LocalLoom(database, folder / "blobs", SilentBus(), toy_operators())
"""

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/loom.db"


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[LocalLoom]:
    loom = LocalLoom(Database.open(new_sqlite(tmp_path)), tmp_path / "blobs", SilentBus(), toy_operators())
    yield loom
    loom.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def each_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return new_sqlite(tmp_path)
    return request.getfixturevalue("postgresql").emptied_database()


@pytest.fixture
def each(each_url: str, tmp_path: Path) -> Iterator[LocalLoom]:
    """One over a database of each kind."""
    loom = LocalLoom(Database.open(each_url), tmp_path / "blobs", SilentBus(), toy_operators())
    yield loom
    loom.close()


@pytest.fixture
def looms(each_url: str, tmp_path: Path) -> Iterator[list[LocalLoom]]:
    """Two on the same database, as two processes have them."""
    opened = [LocalLoom(Database.open(each_url), tmp_path / "blobs", SilentBus(), toy_operators()) for _ in range(2)]
    yield opened
    for loom in opened:
        loom.close()


@pytest.fixture
def start(tmp_path: Path, project: Path) -> Iterator[Start]:
    """Starts another Python process in which `open_loom()` and all of `ledgers` are at hand; killed at the end."""
    processes: list[subprocess.Popen[str]] = []
    environment = os.environ | {"PYTHONPATH": f"{project}:{project / 'tests' / 'support'}"}

    def start(code: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-u", "-c", PRELUDE + code, str(tmp_path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def contents() -> Callable[[Path], dict[str, tuple[bytes, int]]]:
    """Bytes and times of all that lies in a folder, and of the folder itself."""

    def look(folder: Path) -> dict[str, tuple[bytes, int]]:
        return {
            str(path): (path.read_bytes() if path.is_file() else b"", path.stat().st_mtime_ns)
            for path in (folder, *folder.rglob("*"))
        }

    return look


@pytest.fixture
def reopen(url: str, tmp_path: Path) -> Iterator[Callable[[], LocalLoom]]:
    """Opens the Loom of this folder once more."""
    opened: list[LocalLoom] = []

    def reopen() -> LocalLoom:
        opened.append(LocalLoom(Database.open(url), tmp_path / "blobs", SilentBus(), toy_operators()))
        return opened[-1]

    yield reopen
    for loom in opened:
        loom.close()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PrivatePostgreSQL]:
    yield from until_done()
