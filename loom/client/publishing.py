"""Publishes events over one connection: each message is answered before the next, and sent again when its answer is
lost, under a number by which Loom knows that it has it already."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID, uuid4

import msgspec

from loom.bus.encoding import event_json, progress_json
from loom.bus.frames import AckFrame, HelloFrame, RefusalFrame
from loom.client.address import Address
from loom.client.socket import connect, reaching
from loom.errors import CODES, LoomError
from loom.events import Event, Progress, RunHead
from loom.verbs import Said

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

_PAUSES_S = (0.0, 0.3)
_MOST_BYTES = 512 * 1024
_PIECES = 1 << 20
"""Between the numbers of two messages, for the pieces of the first."""

_decode = msgspec.json.Decoder(AckFrame | RefusalFrame | HelloFrame).decode


class _Message(NamedTuple):
    by: UUID
    id: int
    texts: Sequence[bytes]

    def text(self) -> str:
        head = b'{"type":"publish","publisher":"%b","id":%d,"events":[' % (str(self.by).encode(), self.id)
        return b"".join((head, b",".join(self.texts), b"]}")).decode()


class Publisher:
    """Safe for threads."""

    def __init__(self, address: Address, timeout: float) -> None:
        self._address = address
        self._timeout = timeout
        self._lock = threading.Lock()
        self._name = uuid4()
        self._count = 0
        self._connection: ClientConnection | None = None

    def publish(self, run: RunHead, events: Sequence[Event], said: Said | None = None) -> None:
        """Returns when Loom has the events. Raises `LOOM_UNREACHABLE` after some tries. Loom may have them all the
        same: said again under the same name they are not published twice."""
        with self._lock:
            by, number = said or self._named()
            for at, texts in enumerate(_pieces([event_json(None, run, event) for event in events])):
                self._deliver(_Message(by, number * _PIECES + at, texts))

    def progress(self, run: RunHead, progress: Progress) -> None:
        """Says it if a connection is there and not in use; it is as well not to say it."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._connection is not None:
                by, number = self._named()
                self._exchange(_Message(by, number * _PIECES, [progress_json(run, progress)]))
        except LoomError as error:
            self._drop()
            if not error.retryable:
                raise
        finally:
            self._lock.release()

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _named(self) -> Said:
        """A name for what nobody will say again."""
        self._count += 1
        return Said(self._name, self._count)

    def _deliver(self, message: _Message) -> None:
        for pause in _PAUSES_S:
            try:
                self._exchange(message)
                return
            except LoomError as error:
                self._drop()
                if not error.retryable:
                    raise
            time.sleep(pause)
        self._exchange(message)

    def _exchange(self, message: _Message) -> None:
        if self._connection is None:
            self._connection = connect(self._address, self._timeout, type=["none"])
        connection = self._connection
        with reaching(self._address):
            connection.send(message.text())
            while True:
                answer = _decode(connection.recv(timeout=self._timeout))
                if isinstance(answer, RefusalFrame) and answer.id in (None, message.id):
                    raise LoomError(answer.code if answer.code in CODES else "INTERNAL", answer.message)
                if isinstance(answer, AckFrame) and answer.id == message.id:
                    return

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _pieces(texts: list[bytes]) -> Iterator[list[bytes]]:
    """Texts in pieces of bounded size."""
    piece: list[bytes] = []
    size = 0
    for text in texts:
        if piece and size + len(text) > _MOST_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(text)
        size += len(text) + 1
    if piece:
        yield piece
