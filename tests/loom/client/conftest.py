from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from databases import new_sqlite
from ledgers import toy_operators

from loom.api.app import create_app
from loom.api.server import RunningServer, start_in_background
from loom.bus.hub import Hub
from loom.client import LoomClient
from loom.service import LocalLoom
from loom.store.database import Database

TOKEN = "open sesame"


@pytest.fixture
def hub() -> Hub:
    return Hub(capacity=20_000)


@pytest.fixture
def start(tmp_path: Path, hub: Hub) -> Iterator[Callable[[int], RunningServer]]:
    """Starts a server on a port; all are over the same Loom and bus."""
    with ExitStack() as stack:
        loom = LocalLoom(Database.open(new_sqlite(tmp_path)), tmp_path / "blobs", hub, toy_operators())
        stack.callback(loom.close)

        def go(port: int = 0) -> RunningServer:
            app = create_app(loom, hub, toy_operators(), token=TOKEN)
            return stack.enter_context(start_in_background(app, "127.0.0.1", port, or_next=False))

        yield go


@pytest.fixture
def server(start: Callable[[int], RunningServer]) -> RunningServer:
    return start(0)


@pytest.fixture
def client(server: RunningServer) -> Iterator[LoomClient]:
    with LoomClient(server.url, TOKEN, timeout=10) as client:
        yield client
