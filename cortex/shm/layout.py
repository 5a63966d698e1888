"""Where things lie in the memory of a ring.

    words of the ring    the writer's, then two cache lines for every reader (one that the reader writes, one that the
                         writer writes), so that no two processes write into the same line while frames flow
    words of the slots   four for each: the number of its frame plus one (0: it is being written), its time, the length
                         of its metadata, and where the frame of this turn lies
    metadata             `META_BYTES` for each slot
    frames               in slots of equal length, a multiple of 64 bytes, from a page on; a frame never wraps

All words have 64 bits. Positions count frames from the start of the stream and never wrap either.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

LINE = 64
PAGE = 4096
META_BYTES = 256

HEAD = 8
"""How many frames were published."""
ENDED = 9
FULL_WAITS = 10
WRITER_PID = 11
WRITER_SINCE = 12
ASLEEP = 16
"""Whether a reader sleeps until there is a frame."""
RUNG = 17
"""Counts how often sleeping readers were woken: the word they sleep at."""
_READERS = 24

TAIL = 0
"""Of a reader: all frames below were read and may be overwritten."""
STATE = 1
PID = 2
SINCE = 3
SKIPPED = 4
OVERWRITTEN = 5
EMPTY_WAITS = 6
DONE_WAITING = 7
"""Counts how often the writer was woken by this reader: the word it sleeps at."""
WAKE_AT = 8
"""The tail at which the writer wants to be woken."""
_READER_WORDS = 16

SEQUENCE = 0
TIME = 1
META_LENGTH = 2
ORDER = 3
"""At the place of a frame's number modulo the slots: the slot in which it lies, where slots are not taken in turn."""
SLOT_WORDS = 4

FREE, BLOCKING, LOSSY, LEFT = range(4)
"""The states of a reader's place: nobody's; holds the writer back; does not; was somebody's who has gone."""

GOES_ON, DONE, BROKEN = range(3)
"""The states of a stream: it goes on, its writer is done, or died or failed."""

NEVER = 2**64 - 1

CACHED_BYTES = 4 * 2**20
"""What a processor's cache can be counted on to keep. In a larger ring slots are not taken in turn, but the one that
was given back last comes first, so that frames lie in memory that is in the cache already."""


def plain(shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The shape of a sub-array dtype becomes part of the frame's, as NumPy does it."""
    while dtype.subdtype is not None:
        shape, dtype = shape + dtype.shape, dtype.base
    return shape, dtype


@dataclass(frozen=True, slots=True)
class RingSpec:
    """What a ring is made for: frames of one shape and dtype, `slots` of them, for so many readers at most."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    slots: int = 32
    readers: int = 1

    def __post_init__(self) -> None:
        if self.dtype.hasobject:
            raise ValueError(f"The stream {self.name!r} cannot carry {self.dtype}: its values lie outside the frame.")
        if self.frame_nbytes < 1 or any(length < 1 for length in self.shape):
            raise ValueError(f"The stream {self.name!r} has frames of no size: {self.shape} of {self.dtype}.")
        if self.dtype.subdtype is not None:
            raise ValueError(f"The shape within {self.dtype} belongs to the shape of the stream {self.name!r}.")
        if self.slots < 1 or self.readers < 1:
            raise ValueError(f"The stream {self.name!r} needs a slot and a reader at least.")

    def check_fits(self, array: np.ndarray[Any, Any]) -> None:
        """Raises `ValueError` for another shape or dtype than that of a frame."""
        if array.dtype != self.dtype:
            raise ValueError(f"The stream {self.name!r} carries {self.dtype}, not {array.dtype}.")
        if array.shape != self.shape:
            raise ValueError(f"The stream {self.name!r} carries frames of shape {self.shape}, not {array.shape}.")

    @property
    def frame_nbytes(self) -> int:
        """Bytes of one frame, without padding."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def stride(self) -> int:
        return padded(self.frame_nbytes, LINE)

    @property
    def slot_words(self) -> int:
        """Number of the first word of the slots."""
        return _READERS + self.readers * _READER_WORDS

    def reader_words(self, reader: int) -> int:
        """Number of the first word of a reader."""
        return _READERS + reader * _READER_WORDS

    @property
    def words(self) -> int:
        return self.slot_words + self.slots * SLOT_WORDS

    @property
    def meta_offset(self) -> int:
        return padded(self.words * 8, LINE)

    @property
    def frames_offset(self) -> int:
        return padded(self.meta_offset + self.slots * META_BYTES, PAGE)

    @property
    def reuses(self) -> bool:
        """Whether the slot that was given back last is written next."""
        return self.slots * self.stride > CACHED_BYTES

    @property
    def size(self) -> int:
        """Bytes of the whole."""
        return self.frames_offset + self.slots * self.stride


def padded(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
