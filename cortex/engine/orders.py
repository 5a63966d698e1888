"""What the parent and the workers' server say to each other: fixed-size orders there, news back."""

from __future__ import annotations

import struct
from typing import NamedTuple

ORDER = struct.Struct("=ci")
NEWS = struct.Struct("=ciq")
START, KILL = b"S", b"K"
STARTED, ENDED = b"P", b"X"


class News(NamedTuple):
    """A worker STARTED with the process id `value`, or ENDED with the exit code `value` (below 0: by that signal)."""

    what: bytes
    slot: int
    value: int


def parse_news(data: bytearray) -> list[News]:
    """Takes the complete news off the front of what was received."""
    count = len(data) // NEWS.size
    news = [News(*fields) for fields in NEWS.iter_unpack(data[: count * NEWS.size])]
    del data[: count * NEWS.size]
    return news


def order(what: bytes, slot: int) -> bytes:
    return ORDER.pack(what, slot)
