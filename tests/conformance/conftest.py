"""Every Loom that the suite is said to. To add one: a fixture `loom_over_<name>`, and its name in `MAKERS`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import new_sqlite
from fastapi import FastAPI
from ledgers import SilentBus, toy_operators
from privatepg import PrivatePostgreSQL, until_done

from loom.api.app import create_app
from loom.api.publishing import Publishing
from loom.api.server import start_in_background
from loom.bus.hub import Hub
from loom.client import LoomClient
from loom.service import LocalLoom
from loom.store.database import Database
from loom.verbs import Loom

MAKERS = ("sqlite", "postgresql", "http")


@pytest.fixture(params=MAKERS)
def loom(request: pytest.FixtureRequest) -> Loom:
    """A Loom in which nothing is stored yet; its operators are `ledgers.OPERATORS`."""
    return request.getfixturevalue(f"loom_over_{request.param}")


@pytest.fixture
def loom_over_sqlite(tmp_path: Path) -> Iterator[Loom]:
    yield from _local(new_sqlite(tmp_path), tmp_path)


@pytest.fixture
def loom_over_postgresql(postgresql: PrivatePostgreSQL, tmp_path: Path) -> Iterator[Loom]:
    yield from _local(postgresql.emptied_database(), tmp_path)


@pytest.fixture
def loom_over_http(served: tuple[FastAPI, str], tmp_path: Path) -> Iterator[Loom]:
    """A client of a server in this process."""
    app, url = served
    hub = Hub()
    local = LocalLoom(Database.open(new_sqlite(tmp_path)), tmp_path / "blobs", hub, toy_operators())
    app.state.loom, app.state.hub, app.state.publishing = local, hub, Publishing(hub)
    with LoomClient(url, "open sesame") as client:
        yield client
    local.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, str]]:
    """An app that is given another Loom for each test, for it takes long to begin and to end; and where it is."""
    folder, hub = tmp_path_factory.mktemp("served"), Hub()
    local = LocalLoom(Database.open(new_sqlite(folder)), folder / "blobs", hub, toy_operators())
    app = create_app(local, hub, toy_operators(), token="open sesame")
    with start_in_background(app, "127.0.0.1", 0) as server:
        yield app, server.url
    local.close()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PrivatePostgreSQL]:
    yield from until_done()


def _local(url: str, folder: Path) -> Iterator[Loom]:
    loom = LocalLoom(Database.open(url), folder / "blobs", SilentBus(), toy_operators())
    yield loom
    loom.close()
