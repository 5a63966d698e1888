"""Where assets lie, as workers ask and tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from loom.api.answers import answer, route
from loom.api.bodies import BatchBody, decoded
from loom.api.serving import TheLoom
from loom.errors import LoomError
from loom.model import Kind
from loom.wire.ledger import file_to_wire
from loom.wire.shapes import (
    Counted,
    Directories,
    FilesOfHost,
    FilesQuestion,
    KnownFiles,
    KnownPlaces,
    PathLine,
    RootWire,
)
from loom.wire.values import digest_of

router = APIRouter(prefix="/locations", tags=["locations"])
JSON_LINES = "application/jsonl"


@router.get("", **route(PathLine, media=JSON_LINES))
def list_places(
    loom: TheLoom,
    host: Annotated[str, Query(max_length=255)],
    kind: Kind | None = None,
    collection: Annotated[str | None, Query(max_length=4096)] = None,
) -> Response:
    """Paths of the files that are present on a host, one for each asset, a line each."""
    places = iter(loom.places(host, kind=kind, collection=collection))

    def lines() -> Iterator[bytes]:
        yield from (msgspec.json.encode(PathLine(path)) + b"\n" for path in places)

    return StreamingResponse(lines(), media_type=JSON_LINES)


@router.post("/lookup", **route(KnownFiles, FilesQuestion))
def known_files(loom: TheLoom, body: BatchBody) -> Response:
    """For each directory the files that Loom remembers directly in it, with their stat, missing ones included."""
    asked = decoded(body, FilesQuestion)
    found = loom.known_files(asked.host, asked.directories_b64, digest_of(asked.plan))
    return answer(KnownFiles([[file_to_wire(file) for file in files] for files in found]))


@router.post("/directories", **route(Directories, RootWire))
def known_directories(loom: TheLoom, body: BatchBody) -> Response:
    """The directories at or below a root in which Loom remembers present files."""
    asked = decoded(body, RootWire)
    return answer(Directories(loom.known_directories(asked.host, asked.root_b64)))


@router.post("/missing", **route(Counted, FilesOfHost))
def mark_missing(loom: TheLoom, body: BatchBody) -> Response:
    """Files that are gone; says how many were present until now."""
    said = decoded(body, FilesOfHost)
    return answer(Counted(loom.mark_missing(said.host, _places(said))))


@router.post("/present", **route(Counted, FilesOfHost))
def mark_present(loom: TheLoom, body: BatchBody) -> Response:
    """Files that can be reached again, are what they were and lie on `device` now; says how many could not be
    reached."""
    said = decoded(body, FilesOfHost)
    if said.device is None:
        raise LoomError("REQUEST_INVALID", "Where the files lie is missing: device.")
    return answer(Counted(loom.mark_present(said.host, _places(said), said.device)))


@router.post("/known", **route(KnownPlaces, FilesOfHost))
def known_places(loom: TheLoom, body: BatchBody) -> Response:
    """Of each file whether Loom remembers one at that place, be it missing."""
    asked = decoded(body, FilesOfHost)
    return answer(KnownPlaces(loom.known_places(asked.host, _places(asked))))


@router.post("/unreachable", **route(Counted, RootWire))
def mark_unreachable(loom: TheLoom, body: BatchBody) -> Response:
    """All present files at or below a root, or those on one device, cannot be reached for now; says how many."""
    said = decoded(body, RootWire)
    return answer(Counted(loom.mark_unreachable(said.host, said.root_b64, said.device)))


def _places(told: FilesOfHost) -> list[tuple[bytes, bytes]]:
    return [(file.directory_b64, file.name_b64) for file in told.files]
