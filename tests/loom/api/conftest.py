from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from databases import new_sqlite
from ledgers import toy_operators
from websockets.sync.client import ClientConnection, connect

from loom.api.app import create_app
from loom.api.lines import Pace
from loom.api.server import RunningServer, start_in_background
from loom.bus.hub import Hub
from loom.service import LocalLoom
from loom.store.database import Database

TOKEN = "open sesame"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def token() -> str:
    return TOKEN


@pytest.fixture
def hub() -> Hub:
    return Hub(capacity=20_000)


@pytest.fixture
def loom(tmp_path: Path, hub: Hub) -> Iterator[LocalLoom]:
    loom = LocalLoom(Database.open(new_sqlite(tmp_path)), tmp_path / "blobs", hub, toy_operators())
    yield loom
    loom.close()


@pytest.fixture
def serving(loom: LocalLoom, hub: Hub) -> Iterator[Callable[..., RunningServer]]:
    """Starts a server over `loom` and `hub` on a port of its own."""
    with ExitStack() as stack:

        def start(**options: Any) -> RunningServer:
            pace = options.pop("pace", Pace(stall=0.5, look=0.05, grace=1.0))
            app = create_app(loom, hub, toy_operators(), token=TOKEN, pace=pace, **options)
            return stack.enter_context(start_in_background(app, "127.0.0.1", 0))

        yield start


@pytest.fixture
def server(serving: Callable[..., RunningServer]) -> RunningServer:
    return serving()


@pytest.fixture
def http(server: RunningServer) -> Iterator[httpx.Client]:
    # nothing is encrypted, and to read the certificates of all authorities takes longer than most of these tests
    with httpx.Client(base_url=f"{server.url}/api/v1", headers=BEARER, trust_env=False, verify=False) as client:
        yield client


@pytest.fixture
def listen(server: RunningServer) -> Iterator[Callable[..., ClientConnection]]:
    """Connects to the bus, with a query."""
    with ExitStack() as stack:

        def open_socket(query: str = "", **options: Any) -> ClientConnection:
            return stack.enter_context(
                connect(
                    f"ws://{server.address}/api/v1/pipelines/events/ws?{query}",
                    additional_headers=BEARER,
                    compression=None,
                    proxy=None,
                    close_timeout=0.5,
                    **options,
                )
            )

        yield open_socket
