"""Listens to Loom's bus and goes on where it was after a break."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from loom.bus.frames import Frame, GapFrame, HelloFrame, ProgressFrame
from loom.client.address import Address
from loom.client.socket import connect, reaching
from loom.errors import LoomError

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

_decode = msgspec.json.Decoder(Frame | list[Frame]).decode
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0


class Listening:
    """An iterator over frames, the first one a `HelloFrame`; after a break there is another one. What can no longer
    be had shows as a `GapFrame`. Ends when nothing came for `idle` seconds; raises `LOOM_UNREACHABLE` when Loom was
    away for `patience` seconds."""

    def __init__(
        self,
        address: Address,
        timeout: float,
        *,
        after: int | None,
        wanted: dict[str, Iterable[str]],
        batch: int | None,
        idle: float | None,
        patience: float,
    ) -> None:
        self._address = address
        self._timeout = timeout
        self._after = after
        self._query = {name: list(values) for name, values in wanted.items()}
        if batch is not None:
            self._query["batch"] = [str(batch)]
        self._idle = idle
        self._patience = patience

    def __iter__(self) -> Iterator[Frame]:
        connection = self._connect()
        while True:
            try:
                yield from self._frames(connection)
                return
            except LoomError as error:
                if not error.retryable:
                    raise
            finally:
                connection.close()
            connection = self._connect_again()

    def _connect(self) -> ClientConnection:
        after = {} if self._after is None else {"after": [str(self._after)]}
        return connect(self._address, self._timeout, **self._query, **after)

    def _connect_again(self) -> ClientConnection:
        end = time.monotonic() + self._patience
        pause = _FIRST_PAUSE_S
        while True:
            time.sleep(pause)
            try:
                return self._connect()
            except LoomError as error:
                if not error.retryable or time.monotonic() > end:
                    raise
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _frames(self, connection: ClientConnection) -> Iterator[Frame]:
        """Ends when nothing comes; raises when the connection breaks."""
        while True:
            try:
                with reaching(self._address):
                    text = connection.recv(timeout=self._idle)
            except LoomError as error:
                if isinstance(error.__cause__, TimeoutError):
                    return
                raise
            found = _decode(text)
            for frame in found if isinstance(found, list) else [found]:
                self._note(frame)
                yield frame

    def _note(self, frame: Frame) -> None:
        """Remembers from where to go on."""
        if isinstance(frame, HelloFrame):
            self._after = frame.seq if self._after is None else self._after
        elif isinstance(frame, GapFrame):
            self._after = frame.last
        elif not isinstance(frame, ProgressFrame) and frame.seq is not UNSET:
            self._after = frame.seq
