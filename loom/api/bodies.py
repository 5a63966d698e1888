"""Bodies of requests: read piece by piece up to a limit, then decoded strictly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from fastapi import Depends, Request

from loom.errors import LoomError

T = TypeVar("T")
MIB = 1024 * 1024

MAX_DEPTH = 100
"""How deeply values of a request may be nested."""


class Limits(NamedTuple):
    """The largest bodies, in bytes: JSON from people, batches of workers, one derived file."""

    people: int = 1 * MIB
    batch: int = 64 * MIB
    artifact: int = 256 * MIB


def _reader(limit_of: Callable[[Limits], int]) -> Callable[[Request], Awaitable[bytes]]:
    async def read(request: Request) -> bytes:
        return await _read(request, limit_of(request.app.state.limits))

    return read


async def _read(request: Request, limit: int) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        pieces.append(piece)
    return b"".join(pieces)


def _too_large(limit: int) -> LoomError:
    return LoomError("BODY_TOO_LARGE", f"The request is larger than the {limit} bytes that are allowed here.")


PeoplesBody = Annotated[bytes, Depends(_reader(lambda limits: limits.people))]
BatchBody = Annotated[bytes, Depends(_reader(lambda limits: limits.batch))]
ArtifactBody = Annotated[bytes, Depends(_reader(lambda limits: limits.artifact))]


def decoded(body: bytes, shape: type[T]) -> T:
    """Raises `REQUEST_INVALID`."""
    try:
        return msgspec.json.decode(body, type=shape)
    except RecursionError:
        raise LoomError("REQUEST_INVALID", "The values are nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise LoomError("REQUEST_INVALID", f"{error}") from None


def decoded_object(body: bytes) -> dict[str, Any]:
    """A JSON object of any content, at most 100 values deep. Raises `REQUEST_INVALID`."""
    value = decoded(body, dict[str, Any])
    stack: list[tuple[Any, int]] = [(value, 1)]
    while stack:
        part, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise LoomError("REQUEST_INVALID", f"The values are nested more than {MAX_DEPTH} deep.")
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        stack.extend((one, depth + 1) for one in inner if isinstance(one, (dict, list)))
    return value
