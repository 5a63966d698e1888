"""Open files as answers, and large bodies as open files: piece by piece, never whole in memory."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Annotated, Protocol

from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from loom.ending import no_room
from loom.errors import LoomError
from loom.verbs import Descriptor, Parts

PIECE = 256 * 1024
IN_MEMORY = 8 * 1024 * 1024
"""A larger body goes to a file."""


class Files(Protocol):
    """What a Loom in this process knows of derived files beyond the verbs."""

    def opened_artifact(self, digest: bytes) -> tuple[str, Parts]: ...

    def unnamed_file(self) -> Descriptor: ...


def _files(connection: HTTPConnection) -> Files:
    files: Files = connection.app.state.loom
    return files


TheFiles = Annotated[Files, Depends(_files)]


class FileResponse(StreamingResponse):
    """Part of an open file, which is closed at the end however it comes."""

    def __init__(self, fd: int, part: range, status: int, headers: dict[str, str], media_type: str) -> None:
        headers["Content-Length"] = str(len(part))
        super().__init__(_pieces(fd, part), status, headers, media_type)
        self._fd = fd

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] == "HEAD":
                await Response(None, self.status_code, self.headers)(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)
        finally:
            os.close(self._fd)


async def _pieces(fd: int, part: range) -> AsyncIterator[bytes]:
    at = part.start
    while at < part.stop:
        data = await run_in_threadpool(os.pread, fd, min(PIECE, part.stop - at), at)
        if not data:
            raise LoomError("CHANGED", "The file became shorter while it was sent.")
        at += len(data)
        yield data


async def received(request: Request, limit: int, too_large: LoomError) -> bytes | Parts:
    """The body: in memory, or a large one in a file. Raises `too_large` beyond `limit` bytes, and `DISK_FULL`."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large
    held = bytearray()
    file: Descriptor | None = None
    size = 0
    async for piece in request.stream():
        held += piece
        if size + len(held) > limit:
            raise too_large
        if len(held) > IN_MEMORY:
            if file is None:
                file = await run_in_threadpool(_files(request).unnamed_file)
            await run_in_threadpool(_put, file, held, size)
            size += len(held)
            held = bytearray()
    if file is None:
        return bytes(held)
    await run_in_threadpool(_put, file, held, size)
    return Parts(file, ((0, size + len(held)),))


def _put(file: Descriptor, data: bytearray, at: int) -> None:
    rest = memoryview(data)
    try:
        while rest:
            written = os.pwrite(file.fileno(), rest, at)
            rest, at = rest[written:], at + written
    except OSError as error:
        raise no_room(error) or LoomError("INTERNAL", f"A body cannot be kept: {error.strerror}.") from error
