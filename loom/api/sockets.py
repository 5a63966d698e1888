"""WebSocket frames made once and written to many: what our server offers to the endpoint that sends events.

Frames from a server are not masked, so without compression the bytes are the same for every client. uvicorn does not
promise the attributes used here; the tests of this module tell when they change.
"""

from __future__ import annotations

import socket
from asyncio.transports import BaseTransport
from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

EXTENSION = "loom.frames"
SEND_BUFFER = 128 * 1024
"""Bytes that the kernel keeps for a client: by default it takes megabytes before a stall is noticed."""

_ABORT_AFTER_S = 1.0
_TEXT = 0x81


def text_frame(payload: bytes) -> bytes:
    """One unfragmented, unmasked text frame (RFC 6455)."""
    size = len(payload)
    if size < 126:
        return bytes((_TEXT, size)) + payload
    if size < 65536:
        return bytes((_TEXT, 126)) + size.to_bytes(2, "big") + payload
    return bytes((_TEXT, 127)) + size.to_bytes(8, "big") + payload


def text_frames(payloads: Sequence[bytes]) -> bytes:
    """A frame for each payload."""
    return b"".join([text_frame(payload) for payload in payloads])


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
        """Bytes that the kernel has not taken yet: fewer than before when the client has read something."""
        size: int = self._protocol.transport.get_write_buffer_size()
        return size

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


class FrameProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol with the extension, a small send buffer, and a shutdown that does not wait for clients that
    do not read."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        accepted = transport.get_extra_info("socket")
        if accepted is not None:
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

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
