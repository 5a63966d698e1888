"""FastCDC over a stream of bytes, the rolling hash of a whole piece at a time by NumPy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from blake3 import blake3

_WINDOW = 32
_BLOCK = 64 * 1024
_Hashes = np.ndarray[tuple[int], np.dtype[np.uint32]]
_GEAR = np.frombuffer(blake3(b"cortex hash.chunk gear table 1").digest(length=1024), dtype="<u4").astype(np.uint32)


class Chunk(NamedTuple):
    """`offset` and `length` in bytes; `digest` is the chunk's BLAKE3-256."""

    offset: int
    length: int
    digest: bytes


class Chunker:
    """Takes bytes in order by `update`; `chunks()` ends the last chunk.

    The gear hash of a position, `sum(gear[byte k back] << k)` modulo 2^32, depends on the last 32 bytes alone, so it
    is built for all positions at once by five doublings instead of byte after byte. A chunk ends after a position
    whose upper bits are zero.
    """

    def __init__(self, average: int) -> None:
        bits = average.bit_length() - 1
        self._least, self._normal, self._most = average // 4, average, average * 8
        self._strict, self._loose = np.uint32(1 << 32 - bits - 2), np.uint32(1 << 32 - bits + 2)
        self._tail = np.zeros(0, np.uint8)
        # Made once: fresh arrays of this size would cost more than what is computed in them.
        self._hashes = np.empty(_BLOCK + _WINDOW, np.uint32)
        self._shifted = np.empty(_BLOCK + _WINDOW, np.uint32)
        self._seen = 0
        self._start = 0
        self._hasher = blake3()
        self._chunks: list[Chunk] = []

    def update(self, data: memoryview, /) -> None:
        for start in range(0, len(data), _BLOCK):
            self._take(data[start : start + _BLOCK])

    def chunks(self) -> list[Chunk]:
        """All chunks in order. No bytes can be added afterwards."""
        if self._start < self._seen:
            self._end_chunk(self._seen)
        return self._chunks

    def digest(self) -> bytes:
        """BLAKE3-256 of the list of chunks."""
        hasher = blake3()
        for chunk in self.chunks():
            hasher.update(chunk.length.to_bytes(8, "little") + chunk.digest)
        return hasher.digest()

    def _take(self, block: memoryview) -> None:
        begin = fed = self._seen
        self._seen += len(block)
        for end in self._ends(block, begin):
            self._hasher.update(block[fed - begin : end - begin])
            fed = end
            self._end_chunk(end)
        self._hasher.update(block[fed - begin :])

    def _ends(self, block: memoryview, begin: int) -> list[int]:
        """Where chunks end within the block that begins at `begin`."""
        ends: list[int] = []
        start = self._start
        for position, strict in self._candidates(block, begin):
            while position - start > self._most:
                start += self._most
                ends.append(start)
            length = position - start
            if length >= self._least and (strict or length > self._normal):
                start = position
                ends.append(start)
        while self._seen - start >= self._most:
            start += self._most
            ends.append(start)
        return ends

    def _candidates(self, block: memoryview, begin: int) -> list[tuple[int, bool]]:
        values = np.concatenate([self._tail, np.frombuffer(block, np.uint8)])
        known = len(self._tail)
        hashes = self._gear_hashes(values)[known:]
        self._tail = values[-(_WINDOW - 1) :].copy()
        found = np.flatnonzero(hashes < self._loose)
        strict = hashes[found] < self._strict
        return list(zip((found + (begin + 1)).tolist(), strict.tolist(), strict=True))

    def _end_chunk(self, end: int) -> None:
        self._chunks.append(Chunk(self._start, end - self._start, self._hasher.digest()))
        self._hasher = blake3()
        self._start = end

    def _gear_hashes(self, values: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> _Hashes:
        """The gear hash at each position, of at most the 32 bytes that end there."""
        hashes, shifted = self._hashes[: len(values)], self._shifted[: len(values)]
        # No index can be out of range, and only without that check does NumPy write straight into `out`.
        np.take(_GEAR, values, out=hashes, mode="clip")
        width = 1
        while width < min(_WINDOW, len(values)):
            np.left_shift(hashes[:-width], np.uint32(width), out=shifted[:-width])
            hashes[width:] += shifted[:-width]
            width *= 2
        return hashes
