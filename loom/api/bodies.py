"""Bodies of requests: read piece by piece up to a limit, then decoded strictly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from fastapi import Depends, Request

from loom.api.streams import received
from loom.errors import LoomError
from loom.verbs import Parts
from loom.wire.values import not_deep

T = TypeVar("T")
MIB = 1024 * 1024


class Limits(NamedTuple):
    """The largest bodies, in bytes: JSON from people, batches of workers, one derived file (which is not held in
    memory)."""

    people: int = 1 * MIB
    batch: int = 64 * MIB
    artifact: int = 256 * 1024 * MIB


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


def _too_large(limit: int, what: str = "request") -> LoomError:
    return LoomError("BODY_TOO_LARGE", f"The {what} is larger than the {limit} bytes that are allowed here.")


async def _artifact(request: Request) -> bytes | Parts:
    limit = request.app.state.limits.artifact
    return await received(request, limit, _too_large(limit))


async def _most_of_people(request: Request) -> int:
    limits: Limits = request.app.state.limits
    return limits.people


PeoplesBody = Annotated[bytes, Depends(_reader(lambda limits: limits.people))]
BatchBody = Annotated[bytes, Depends(_reader(lambda limits: limits.batch))]
ArtifactBody = Annotated[bytes | Parts, Depends(_artifact)]
MostOfPeople = Annotated[int, Depends(_most_of_people)]
"""The largest JSON from people, in bytes, for those parts of a batch that people wrote."""


def refuse_larger(limit: int, part: msgspec.Raw, what: str) -> None:
    """Raises `BODY_TOO_LARGE` for a part of a body that is larger than `limit` bytes."""
    if len(memoryview(part)) > limit:
        raise _too_large(limit, what)


def decoded(body: bytes, shape: type[T]) -> T:
    """Raises `REQUEST_INVALID`."""
    try:
        return msgspec.json.decode(body, type=shape)
    except RecursionError:
        raise LoomError("REQUEST_INVALID", "The values are nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise LoomError("REQUEST_INVALID", f"{error}") from None


def decoded_object(body: bytes) -> dict[str, Any]:
    """A JSON object of any content, not too deep. Raises `REQUEST_INVALID`."""
    return not_deep(decoded(body, dict[str, Any]))
