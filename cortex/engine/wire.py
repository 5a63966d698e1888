"""How parent and worker talk: messages of MessagePack over a socket, each after its length.

What a worker says is checked against these types. It is never unpickled: a worker that a hostile file has taken over
can tell lies about its files, but cannot make the parent run code.
"""

from __future__ import annotations

import os
import socket
import struct

import msgspec

from cortex.engine.records import Answer, Identity, Item, Walked

MAX_MESSAGE = 1 << 30
_LENGTH = struct.Struct("<I")
_PIECE = 1 << 18


class Order(msgspec.Struct, array_like=True, frozen=True):
    """What the parent says: files to read, or answers to what reading them told."""

    items: list[Item] = []
    answers: list[Answer] = []


class Log(msgspec.Struct, array_like=True, frozen=True):
    """A log record of an operator, and the file it was working on."""

    token: int
    logger: str
    level: int
    message: str


class Report(msgspec.Struct, array_like=True, frozen=True):
    """What a worker says. `asked`: these files were read, may they be walked? `ended`: a batch is done (the first
    time: the worker is ready) and took `seconds`, and the worker has `grown` by so many bytes since it was ready.
    `error`: it could not get ready."""

    walked: list[Walked] = []
    asked: list[Identity] = []
    logs: list[Log] = []
    ended: bool = False
    seconds: float = 0.0
    grown: int = 0
    error: tuple[str, str] | None = None


_ENCODER = msgspec.msgpack.Encoder(enc_hook=lambda _: None)  # open files, which do not travel
_ORDER = msgspec.msgpack.Decoder(Order)
_REPORT = msgspec.msgpack.Decoder(Report)


def send(line: socket.socket, report: Report) -> None:
    """Waits until the parent takes it. Raises `BrokenPipeError` when it has hung up. Plain writing: the calls for
    sockets are refused to workers."""
    body = _ENCODER.encode(report)
    if len(body) > _PIECE:  # derived files may be large, and a worker has little memory for one more copy
        _write(line, memoryview(_LENGTH.pack(len(body))))
        _write(line, memoryview(body))
    else:
        _write(line, memoryview(_LENGTH.pack(len(body)) + body))


def _write(line: socket.socket, rest: memoryview) -> None:
    while rest:
        rest = rest[os.write(line.fileno(), rest) :]


class Orders:
    """The worker's end: what the parent says, message by message."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._data = bytearray()

    def receive(self) -> Order:
        """Waits for the next. Raises `EOFError` when the parent has hung up."""
        while (body := _take_message(self._data)) is None:
            piece = self._line.recv(_PIECE)
            if not piece:
                raise EOFError
            self._data += piece
        return _ORDER.decode(body)


def _take_message(data: bytearray) -> bytes | None:
    """Takes the first message off the front of what was received, None if it is not complete yet."""
    if len(data) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack_from(data)
    if size > MAX_MESSAGE:
        raise ValueError(f"a message of {size} bytes was announced")
    end = _LENGTH.size + size
    if len(data) < end:
        return None
    body = bytes(memoryview(data)[_LENGTH.size : end])
    del data[:end]
    return body


class Line:
    """The parent's end: sends and receives what can go at once, and never waits for a worker."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._in = bytearray()
        self._out = bytearray()
        self.hung_up = False
        end.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    @property
    def has_more_to_send(self) -> bool:
        return bool(self._out)

    def send(self, order: Order) -> None:
        """Sends what fits now; `flush` sends the rest when the line is writable."""
        body = _ENCODER.encode(order)
        self._out += _LENGTH.pack(len(body))
        self._out += body
        self.flush()

    def flush(self) -> None:
        while self._out and not self.hung_up:
            try:
                del self._out[: self._socket.send(self._out)]
            except BlockingIOError:
                return
            except OSError:
                self.hung_up = True

    def receive(self, *, everything: bool = False) -> list[Report]:
        """The messages that are complete by now; `everything` leaves nothing unread, for a worker that is dead. Sets
        `hung_up` when the worker is gone and all it said was read. Raises `ValueError` or `msgspec.DecodeError` when
        it does not keep to the protocol."""
        while True:
            try:
                piece = self._socket.recv(_PIECE)
            except BlockingIOError:
                break
            except OSError:
                piece = b""
            if not piece:
                self.hung_up = True
                break
            self._in += piece
            if len(piece) < _PIECE and not everything:
                break
        return [_REPORT.decode(body) for body in iter(lambda: _take_message(self._in), None)]
