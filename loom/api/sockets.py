"""WebSocket frames made once and written to many: what our server offers to the endpoint that sends events.

Frames from a server are not masked, so without compression the bytes are the same for every client. uvicorn does not
promise the attributes used here; the tests of this module tell when they change.
"""

from __future__ import annotations

import array
import fcntl
import socket
import termios
from asyncio.transports import BaseTransport
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

EXTENSION = "loom.frames"
SEND_BUFFER = 128 * 1024
"""Bytes that the kernel keeps for a client: by default it takes megabytes before a stall is noticed."""

_ABORT_AFTER_S = 1.0
_TEXT = 0x81


def text_frame(payload: bytes) -> bytes:
    """One unfragmented, unmasked text frame (RFC 6455)."""
    return _head(len(payload)) + payload


def text_frames(payloads: Sequence[bytes]) -> bytes:
    """A frame for each payload."""
    return b"".join([part for payload in payloads for part in (_head(len(payload)), payload)])


@lru_cache(maxsize=1024)
def _head(size: int) -> bytes:
    if size < 126:
        return bytes((_TEXT, size))
    if size < 65536:
        return bytes((_TEXT, 126)) + size.to_bytes(2, "big")
    return bytes((_TEXT, 127)) + size.to_bytes(8, "big")


def array_frame(payloads: Sequence[bytes]) -> bytes:
    """One frame with an array of all payloads, which are JSON."""
    return text_frame(json_array(payloads))


def json_array(payloads: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(payloads) + b"]"


class FrameWriter:
    """The ASGI extension: `scope["extensions"]["loom.frames"]` of a WebSocket."""

    def __init__(self, protocol: FrameProtocol) -> None:
        self._protocol = protocol

    @property
    def is_closed(self) -> bool:
        protocol = self._protocol
        return protocol.close_sent or protocol.disconnected or protocol.transport.is_closing()

    @property
    def is_writable(self) -> bool:
        return self._protocol.writable.is_set()

    @property
    def unsent(self) -> int:
        """Bytes that the client's system has not taken yet: fewer than before when the client has read something."""
        transport = self._protocol.transport
        size: int = transport.get_write_buffer_size()
        return size + _kept_by_kernel(transport.get_extra_info("socket"))

    async def writable(self) -> None:
        """Waits until the client has read enough, or is gone."""
        await self._protocol.writable.wait()

    def write(self, frames: bytes) -> None:
        """Whole frames; never waits."""
        if not self.is_closed:
            self._protocol.transport.write(frames)

    def dismiss(self, last_frames: bytes, code: int, reason: str, grace_s: float) -> None:
        """Says goodbye to a client that does not read: it finds the last frames and the close behind its backlog if
        it wakes within the grace time, else the connection is cut."""
        if not self.is_closed:
            self._protocol.transport.write(last_frames)
            self._protocol.close_without_waiting(code, reason, grace_s)


def _kept_by_kernel(sock: socket.socket | None) -> int:
    """Bytes for which the other side had no room yet. Where a system does not tell (all but Linux), 0: then a client
    that reads a little is taken for one that reads nothing."""
    count = array.array("i", [0])
    if sock is not None:
        with suppress(OSError, ValueError):
            fcntl.ioctl(sock, termios.TIOCOUTQ, count)
    return count[0]


class FrameProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol with the extension, a small send buffer, and a shutdown that does not wait for clients that
    do not read."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        accepted = transport.get_extra_info("socket")
        if accepted is not None:
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        # what the kernel keeps is enough to go on with: of a client that does not keep up, one write waits here
        self.transport.set_write_buffer_limits(high=0)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            # the task that runs the app was made just now and has not begun
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[EXTENSION] = FrameWriter(self)

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True  # it was refused; uvicorn takes that for a defect

    def close_without_waiting(self, code: int, reason: str, grace_s: float) -> None:
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(grace_s, self.transport.abort)

    def shutdown(self) -> None:
        super().shutdown()
        self.loop.call_later(_ABORT_AFTER_S, self.transport.abort)
