"""Entity tags (RFC 9110): compared, read from headers."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header

from loom.errors import LoomError

IfMatch = Annotated[str | None, Header(description="The entity tag of the version that is to be replaced, or `*`.")]
IfNoneMatch = Annotated[str | None, Header(description="The entity tag of what the caller has.")]


def quoted(tag: str) -> str:
    return f'"{tag}"'


def wanted_tag(header: str | None) -> str | None:
    """The tag of an `If-Match` header, without its quotes. Raises `REQUEST_INVALID` for several and for weak ones."""
    if header is None or header.strip() == "*":
        return None if header is None else "*"
    tag = header.strip()
    if len(tag) < 3 or tag[0] != '"' or tag[-1] != '"' or '"' in tag[1:-1]:
        raise LoomError("REQUEST_INVALID", 'If-Match takes one entity tag in quotes, or "*".')
    return tag[1:-1]


def is_had(header: str | None, tag: str) -> bool:
    """Whether an `If-None-Match` header names the tag, so that nothing needs to be sent."""
    if header is None:
        return False
    return any(one.strip().removeprefix("W/") in ("*", quoted(tag)) for one in header.split(","))
