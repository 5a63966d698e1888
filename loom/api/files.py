"""Derived files over HTTP: typed, cacheable, whole or one range of bytes (RFC 9110)."""

from __future__ import annotations

import os
import re
from typing import Annotated, NamedTuple

from fastapi import Depends, Header
from starlette.responses import Response

from loom.api.problems import problem_response
from loom.api.streams import PIECE, FileResponse
from loom.api.tags import is_had, quoted
from loom.errors import LoomError
from loom.shapes import is_media_type
from loom.verbs import Parts

_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))", re.IGNORECASE)
_SHOWN = re.compile(r"(image/(?!svg)|video/|audio/)[a-z0-9.+-]+|application/json|text/plain")
"""What a browser may show in place; all else is offered for saving."""


class Wanted(NamedTuple):
    """What the headers ask for."""

    range: str | None
    if_range: str | None
    if_none_match: str | None


def _wanted(
    range: Annotated[str | None, Header()] = None,  # noqa: A002
    if_range: Annotated[str | None, Header()] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Wanted:
    return Wanted(range, if_range, if_none_match)


WholeOrPart = Annotated[Wanted, Depends(_wanted)]


class Unsatisfiable(ValueError):  # noqa: N818
    """A range that begins behind the end."""


def file_answer(media_type: str, file: Parts, digest: str, wanted: Wanted, *, immutable: bool) -> Response:
    """200, 206, 304 or 416; what is large is sent piece by piece. `digest` (hexadecimal) is the entity tag. Of an
    address that is not `immutable` a browser asks again after a minute, with the tag."""
    age = "private, max-age=31536000, immutable" if immutable else "private, max-age=60"
    headers = {
        "ETag": quoted(digest),
        "Cache-Control": age,
        "Accept-Ranges": "bytes",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if is_had(wanted.if_none_match, digest):
        return Response(status_code=304, headers=headers)
    if _SHOWN.fullmatch(media_type) is None:
        headers["Content-Disposition"] = "attachment"
    if not is_media_type(media_type):  # kept by an operator of this process, which may say anything
        media_type = "application/octet-stream"
    try:
        part = part_of(wanted, digest, file.size)
    except Unsatisfiable:
        return out_of_range(file.size)
    status = 200 if part is None else 206
    if part is None:
        part = range(file.size)
    else:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{file.size}"
    if len(part) > PIECE:
        return FileResponse(os.dup(file.file.fileno()), part, status, headers, media_type)
    return Response(os.pread(file.file.fileno(), len(part), part.start), status, headers, media_type)


def out_of_range(size: int) -> Response:
    """416, with how large the file is."""
    return problem_response(LoomError("RANGE_NOT_SATISFIABLE"), {"Content-Range": f"bytes */{size}"})


def part_of(wanted: Wanted, digest: str, size: int) -> range | None:
    """The bytes that are asked for; None for all of them: no range, several, a malformed one, or of another file.
    Raises `Unsatisfiable`."""
    if wanted.range is None or wanted.if_range not in (None, quoted(digest)):
        return None
    match = _RANGE.fullmatch(wanted.range.strip())
    if match is None:
        return None
    if match[3] is not None:
        start, end = max(size - int(match[3]), 0), size
    else:
        start, end = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
        if match[2] and int(match[2]) < start:
            return None
    if start >= end:
        raise Unsatisfiable
    return range(start, end)
