"""Every Loom that the suite is said to. To add one: a fixture `loom_over_<name>`, and its name in `MAKERS`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ledgers import SilentBus, toy_operators
from privatepg import PrivatePostgreSQL, binaries

from loom.service import LocalLoom
from loom.store.database import Database
from loom.verbs import Loom

MAKERS = ("sqlite", "postgresql")


@pytest.fixture(params=MAKERS)
def loom(request: pytest.FixtureRequest) -> Loom:
    """A Loom in which nothing is stored yet; its operators are `ledgers.OPERATORS`."""
    return request.getfixturevalue(f"loom_over_{request.param}")


@pytest.fixture
def loom_over_sqlite(tmp_path: Path) -> Iterator[Loom]:
    yield from _local(f"sqlite:///{tmp_path}/loom.db", tmp_path)


@pytest.fixture
def loom_over_postgresql(postgresql: PrivatePostgreSQL, tmp_path: Path) -> Iterator[Loom]:
    yield from _local(postgresql.new_database(), tmp_path)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PrivatePostgreSQL]:
    folder = binaries()
    if folder is None:
        pytest.skip("PostgreSQL is not tried: its programs are not installed (Debian package postgresql)")
    server = PrivatePostgreSQL(folder)
    yield server
    server.stop()


def _local(url: str, folder: Path) -> Iterator[Loom]:
    loom = LocalLoom(Database.open(url), folder / "blobs", SilentBus(), toy_operators())
    yield loom
    loom.close()
