"""The originals: files of this machine, streamed as they lie there, whole or one range of bytes."""

from __future__ import annotations

import os
import platform
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.requests import HTTPConnection
from starlette.responses import Response

from loom.api.answers import route
from loom.api.files import Unsatisfiable, Wanted, WholeOrPart, out_of_range, part_of
from loom.api.streams import FileResponse
from loom.api.tags import is_had, quoted
from loom.errors import LoomError
from loom.store.locations import Original
from loom.store.values import signed

router = APIRouter(prefix="/assets", tags=["assets"])

SHOWN = frozenset(
    {
        *(f"image/{name}" for name in ("avif", "bmp", "gif", "jpeg", "jxl", "png", "webp")),
        *(f"audio/{name}" for name in ("aac", "flac", "mp4", "mpeg", "ogg", "webm", "x-wav")),
        *(f"video/{name}" for name in ("mp4", "mpeg", "ogg", "quicktime", "webm", "x-matroska")),
        "text/plain",
    }
)
"""Types, told from the content, that a browser may show in place; all else is bytes to be saved."""


class Originals(Protocol):
    """What a Loom in this process knows beyond the verbs."""

    def originals(self, uuid: UUID, host: str) -> list[Original]: ...


class Opened(NamedTuple):
    """A file that is open, and still the one that is remembered."""

    fd: int
    size: int
    mime: str


def _originals(connection: HTTPConnection) -> Originals:
    loom: Originals = connection.app.state.loom
    return loom


@router.get("/{uuid}/content", **route(media="*/*"))
def get_content(loom: Annotated[Originals, Depends(_originals)], uuid: UUID, wanted: WholeOrPart) -> Response:
    """The original, if one of its files lies on Loom's own machine and was not changed since it was read (`CHANGED`).
    What a browser could execute is offered for saving, as bytes."""
    opened = _open_one(loom.originals(uuid, platform.node()))
    return _answer(opened, str(uuid), wanted)


router.add_api_route("/{uuid}/content", get_content, methods=["HEAD"], include_in_schema=False)


def _answer(opened: Opened, tag: str, wanted: Wanted) -> Response:
    is_shown = opened.mime in SHOWN
    headers = {
        "ETag": quoted(tag),
        "Cache-Control": "private, no-cache",
        "Accept-Ranges": "bytes",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    if not is_shown:
        headers["Content-Disposition"] = "attachment"
    media_type = opened.mime if is_shown else "application/octet-stream"
    if is_had(wanted.if_none_match, tag):
        os.close(opened.fd)
        return Response(None, 304, headers)
    try:
        part = part_of(wanted, tag, opened.size)
    except Unsatisfiable:
        os.close(opened.fd)
        return out_of_range(opened.size)
    if part is None:
        return FileResponse(opened.fd, range(opened.size), 200, headers, media_type)
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{opened.size}"
    return FileResponse(opened.fd, part, 206, headers, media_type)


def _open_one(files: Sequence[Original]) -> Opened:
    """The first that can be had. Raises `NOT_FOUND`, and what is wrong with the last when none can."""
    refused = LoomError("NOT_FOUND", "No file with this content lies on Loom's own machine.")
    for file in files:
        try:
            return _open(file)
        except LoomError as error:
            refused = error
    raise refused


def _open(file: Original) -> Opened:
    path = Path(os.fsdecode(file.path))
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise LoomError("NOT_A_REGULAR_FILE")
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise LoomError("FILE_VANISHED", "The file is gone.") from None
    except OSError:
        raise LoomError("FILE_UNREADABLE") from None
    try:
        now = os.fstat(fd)
        if not stat.S_ISREG(now.st_mode):
            raise LoomError("NOT_A_REGULAR_FILE")
        if (signed(now.st_size), signed(now.st_mtime_ns)) != (file.size, file.mtime_ns):
            raise LoomError("CHANGED", "The file was changed since it was read; ingest it again.")
    except BaseException:
        os.close(fd)
        raise
    return Opened(fd, now.st_size, file.mime)
