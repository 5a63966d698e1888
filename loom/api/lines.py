"""How frames reach one listener: quickly through our own server, plainly through any other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from loom.api.sockets import EXTENSION, FrameWriter, array_frame, json_array, text_frame, text_frames
from loom.bus.encoding import gap_json
from loom.bus.hub import Piece

TRY_AGAIN_LATER = 1013
_WHY = "too slow: come back with after=SEQ"


class Pace(NamedTuple):
    """In seconds: the rest after what is new was sent; how long a client may read nothing at all; how often that is
    looked at; how long a client that was told to go may take. The last three and the time that buffers take to fill
    are to be less than 5 s."""

    rest: float = 0.02
    stall: float = 2.0
    look: float = 0.25
    grace: float = 1.5


class Stalled(Exception):  # noqa: N818
    """The client does not read."""


class Line(Protocol):
    async def ready(self) -> None:
        """Waits until the client can take more. Raises `Stalled`."""
        ...

    async def send(self, pieces: Sequence[Piece]) -> None: ...

    async def say(self, payload: bytes) -> None:
        """One frame, even when frames are sent in batches. Raises `Stalled`."""
        ...

    async def dismiss(self, first: int, last: int) -> None:
        """Tells the client what it misses, and closes."""
        ...


def line_to(websocket: WebSocket, lost: Callable[[], bool], pace: Pace, *, batched: bool) -> Line:
    """`lost` tells whether events that were meant for this line can no longer be had."""
    writer = websocket.scope.get("extensions", {}).get(EXTENSION)
    if isinstance(writer, FrameWriter):
        return QuickLine(writer, lost, pace, batched=batched)
    return PlainLine(websocket, pace, batched=batched)


class QuickLine:
    """Writes frames that were made once for all clients."""

    def __init__(self, writer: FrameWriter, lost: Callable[[], bool], pace: Pace, *, batched: bool) -> None:
        self._writer = writer
        self._lost = lost
        self._pace = pace
        self._render = array_frame if batched else text_frames

    async def ready(self) -> None:
        if not self._writer.is_writable:
            await self._until_writable()
        if self._writer.is_closed:
            raise WebSocketDisconnect

    async def send(self, pieces: Sequence[Piece]) -> None:
        self._writer.write(b"".join([piece.rendered(self._render) for piece in pieces]))

    async def say(self, payload: bytes) -> None:
        await self.ready()
        self._writer.write(text_frame(payload))

    async def dismiss(self, first: int, last: int) -> None:
        told = self._render([gap_json(first, last)]) if first <= last else b""
        self._writer.dismiss(told, TRY_AGAIN_LATER, _WHY, self._pace.grace)

    async def _until_writable(self) -> None:
        waited, unsent = 0.0, self._writer.unsent
        while not self._writer.is_writable:
            if self._writer.unsent < unsent:
                waited, unsent = 0.0, self._writer.unsent
            if waited >= self._pace.stall or self._lost():
                raise Stalled
            waited += self._pace.look
            try:
                async with asyncio.timeout(self._pace.look):
                    await self._writer.writable()
            except TimeoutError:
                continue


class PlainLine:
    """Sends through ASGI, a frame at a time."""

    def __init__(self, websocket: WebSocket, pace: Pace, *, batched: bool) -> None:
        self._websocket = websocket
        self._pace = pace
        self._batched = batched

    async def ready(self) -> None:
        """Whether the client reads shows only in sending."""

    async def send(self, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            for payload in [json_array(piece.frames)] if self._batched else piece.frames:
                await self.say(payload)

    async def say(self, payload: bytes) -> None:
        try:
            async with asyncio.timeout(self._pace.stall):
                await self._websocket.send_text(payload.decode())
        except TimeoutError:
            raise Stalled from None

    async def dismiss(self, first: int, last: int) -> None:
        try:
            async with asyncio.timeout(self._pace.grace):
                if first <= last:
                    await self._websocket.send_text(gap_json(first, last).decode())
                await self._websocket.close(TRY_AGAIN_LATER, _WHY)
        except TimeoutError:
            return
