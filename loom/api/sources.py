"""Folders that are known by a name."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from loom.api.answers import Cursor, Limit, answer, nothing, one_page, route
from loom.api.bodies import PeoplesBody, decoded
from loom.api.serving import TheLoom
from loom.errors import LoomError
from loom.shapes import Page
from loom.sources import SourceShape
from loom.verbs import PAGE, Loom
from loom.wire.shapes import Counted
from loom.wire.sources import PathWire, SourceSeenWire, SourceWire, source_of_wire

router = APIRouter(prefix="/sources", tags=["sources"])
Name = Annotated[str, Path(max_length=255)]


@router.get("", **route(Page[SourceShape]))
def list_sources(
    loom: TheLoom,
    host: Annotated[str | None, Query(max_length=255)] = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
) -> Response:
    """Sources by name, all or those of a host."""
    return answer(one_page(loom.sources(host=host), limit, cursor))


@router.get("/{name}", **route(SourceShape))
def get_source(loom: TheLoom, name: Name) -> Response:
    return answer(loom.source(name))


@router.put("/{name}", **route(SourceShape, SourceWire))
def put_source(loom: TheLoom, name: Name, body: PeoplesBody) -> Response:
    """Keeps a new source (201), or new options and a new marker of one that lies where it lay (200)."""
    source = source_of_wire(name, decoded(body, SourceWire))
    is_new = not _exists(loom, name)
    return answer(loom.save_source(source), 201 if is_new else 200, {"Location": f"/api/v1/sources/{source.name}"})


@router.delete("/{name}", **route(status=204))
def delete_source(loom: TheLoom, name: Name) -> Response:
    """Forgets the name, not the files."""
    loom.remove_source(name)
    return nothing()


@router.post("/{name}/move", **route(Counted, PathWire))
def move_source(loom: TheLoom, name: Name, body: PeoplesBody) -> Response:
    """The source lies at another path now, with all that is known of it; says how many folders."""
    return answer(Counted(loom.move_source(name, decoded(body, PathWire).exactly())))


@router.post("/{name}/seen", **route(takes=SourceSeenWire, status=204))
def see_source(loom: TheLoom, name: Name, body: PeoplesBody) -> Response:
    """The source was looked for, and found or not."""
    loom.source_seen(name, reachable=decoded(body, SourceSeenWire).reachable)
    return nothing()


def _exists(loom: Loom, name: str) -> bool:
    try:
        loom.source(name)
    except LoomError as error:
        if error.code != "NOT_FOUND":
            raise
        return False
    return True
