"""One WebSocket connection to Loom's bus."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from loom.client.address import Address
from loom.client.problems import error_of
from loom.errors import LoomError

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

MAX_FRAME = 16 * 1024 * 1024


def connect(address: Address, timeout: float, **query: list[str]) -> ClientConnection:
    """Raises what the server refused with, and `LOOM_UNREACHABLE`."""
    from websockets.exceptions import InvalidStatus
    from websockets.sync import client

    with reaching(address):
        try:
            connection = client.connect(
                f"{address.events}?{urlencode(query, doseq=True)}",
                additional_headers=address.headers(),
                compression=None,
                open_timeout=timeout,
                close_timeout=1,
                max_size=MAX_FRAME,
                proxy=None if address.is_loopback else True,
            )
        except InvalidStatus as error:
            raise error_of(error.response.status_code, bytes(error.response.body or b"")) from error
        # entered here and closed by whoever holds it: it lives longer than any one call
        return connection.__enter__()


@contextmanager
def reaching(address: Address) -> Iterator[None]:
    """Makes `LOOM_UNREACHABLE` of a connection that fails."""
    from websockets.exceptions import WebSocketException

    try:
        yield
    except LoomError:
        raise
    except (OSError, EOFError, WebSocketException) as error:
        raise address.unreachable(error) from error
