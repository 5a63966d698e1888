"""What an operator wants of a file, said before the file is opened, so that one read and one decode serve all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol


class StreamReader(Protocol):
    """Takes the bytes of a file in order, piece by piece, such as a `hashlib` object."""

    def update(self, data: memoryview, /) -> object: ...


_NOTHING: Mapping[str, Callable[[], Any]] = MappingProxyType({})


class Wants(NamedTuple):
    """`image_side`: the longer side, in pixels, of the picture the operator will ask for. `streams`: makers of readers
    that are to see every byte, by a name that is equal for equal readers; `Media.stream(name)` gives the fed reader."""

    image_side: int | None = None
    streams: Mapping[str, Callable[[], StreamReader]] = _NOTHING


def together(wants: Iterable[Wants]) -> Wants:
    """What serves all of them."""
    sides: list[int] = []
    streams: dict[str, Callable[[], StreamReader]] = {}
    for want in wants:
        if want.image_side is not None:
            sides.append(want.image_side)
        streams.update(want.streams)
    return Wants(max(sides, default=None), streams)
