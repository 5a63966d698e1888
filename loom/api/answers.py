"""Answers in JSON, and their shapes in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Query
from starlette.responses import Response

from loom.errors import LoomError
from loom.shapes import Page
from loom.verbs import MAX_PAGE

T = TypeVar("T")
COMPONENTS = "x-components"
"""Where a route leaves the schemas that it refers to; `openapi.py` gathers them."""

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many items at most.")]
Cursor = Annotated[str | None, Query(max_length=1024, description="`next` of the page before.")]


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def nothing() -> Response:
    return Response(status_code=204)


def one_page(items: Sequence[T], limit: int, cursor: str | None) -> Page[T]:
    """A piece of a list that is had as a whole. Raises `REQUEST_INVALID`."""
    start = 0 if cursor is None else number_of(cursor)
    end = start + limit
    return Page(items=list(items[start:end]), next=str(end) if end < len(items) else None)


def number_of(cursor: str) -> int:
    """What a cursor that counts stands for. Raises `REQUEST_INVALID`."""
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):
        raise LoomError("REQUEST_INVALID", "The cursor is not one that was given out.")
    return int(cursor)


def route(
    gives: Any = None, takes: Any = None, *, status: int = 200, media: str | None = None, sends: str | None = None
) -> dict[str, Any]:
    """What a route says of itself: the types of its answer and of its body, or their media types where these are not
    JSON."""
    refs, components = msgspec.json.schema_components(
        [shape for shape in (gives, takes) if shape is not None], ref_template="#/components/schemas/{name}"
    )
    schemas = iter(refs)
    answered: dict[str, Any] = {"description": "Done."}
    if gives is not None:
        answered["content"] = {media or "application/json": {"schema": next(schemas)}}
    elif media is not None:
        answered["content"] = {media: {"schema": {"type": "string", "format": "binary"}}}
    extra: dict[str, Any] = {"responses": {str(status): answered}, COMPONENTS: components}
    if takes is not None:
        extra["requestBody"] = {"required": True, "content": {"application/json": {"schema": next(schemas)}}}
    elif sends is not None:
        binary = {"schema": {"type": "string", "format": "binary"}}
        extra["requestBody"] = {"required": True, "content": {sends: binary}}
    return {"status_code": status, "response_model": None, "response_class": Response, "openapi_extra": extra}
