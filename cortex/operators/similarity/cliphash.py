"""Hashes of pictures over time by which copies of a film are known: how they are made, stored and compared."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np

from cortex.media.shown import Pixels
from loom.errors import LoomError

Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]
Floats = np.ndarray[Any, np.dtype[np.float32]]

_MAGIC = b"LCVF"
_HEADER = struct.Struct("<4sHHdI")
_VERSION = 1
_GRID = 32
_BITS = 8
_FLAT = 4.0
"""Pictures whose brightness deviates less from its mean, of 255 steps, have no hash."""
_DARK = 20.0
_MOST_CROPPED = 0.45
PARTS = 4


class Clip(NamedTuple):
    """`hashes` are of moments `interval_s` seconds apart, from the first frame on; 0 stands for a picture of almost
    one colour, which is like nothing."""

    interval_s: float
    hashes: Hashes


class Match(NamedTuple):
    """How alike two clips are. `distance`: differing bits of 64, the mean over the moments they have in common;
    unrelated pictures have about 32. `offset_s`: how much later the first begins within the second. `overlap`: which
    part of the shorter one could be compared."""

    distance: float
    offset_s: float
    overlap: float


class Box(NamedTuple):
    """A part of a picture, in parts of its width and height."""

    left: float
    top: float
    right: float
    bottom: float


def picture_box(brightest_rows: Floats, brightest_columns: Floats) -> Box:
    """The picture without black bars. Given is how bright each row and each column ever is, 0 to 255, so that a dark
    scene does not count as bars. Nothing is cut off where all is dark."""
    top, bottom = _bars(brightest_rows)
    left, right = _bars(brightest_columns)
    return Box(left, top, right, bottom)


def _bars(brightest: Floats) -> tuple[float, float]:
    bright = np.flatnonzero(brightest >= _DARK)
    count = len(brightest)
    if not len(bright):
        return 0.0, 1.0
    first, last = int(bright[0]), int(bright[-1]) + 1
    # The line next to a bar is a mixture.
    start = (first + 1) / count if first else 0.0
    stop = (last - 1) / count if last < count else 1.0
    return (start, stop) if start <= _MOST_CROPPED and stop >= 1 - _MOST_CROPPED else (0.0, 1.0)


class Hasher:
    """Hashes pictures of one shape (height x width): the signs of 64 low frequencies of a 32 x 32 cosine transform
    against their median, as pHash does it (Zauner, Implementation and benchmarking of perceptual image hash functions,
    2010; there the mean of the picture and its plain stripes are left out too)."""

    def __init__(self, shape: tuple[int, int], box: Box) -> None:
        cosines = _cosines()
        self._rows = cosines @ _weights(shape[0], box.top, box.bottom)
        self._columns = cosines @ _weights(shape[1], box.left, box.right)
        self._means = (
            _weights(shape[0], box.top, box.bottom).mean(axis=0),
            _weights(shape[1], box.left, box.right).mean(axis=0),
        )

    def frequencies(self, picture: Pixels) -> Floats | None:
        """The 64 values, of a picture as strong as any other; None for one of almost one colour."""
        bright = picture.astype(np.float32)
        rows, columns = self._means
        mean = float(rows @ bright @ columns)
        if np.sqrt(max(float(rows @ (bright - mean) ** 2 @ columns), 0.0)) < _FLAT:
            return None
        found = self._transformed(bright)
        return found / max(float(np.abs(found).sum()), 1e-9)

    def clearness(self, picture: Pixels) -> float:
        """By how much, of 255 steps of brightness, at least half of the 64 waves stand out against their median: bits
        of weaker ones are chance."""
        found = self._transformed(picture.astype(np.float32))
        return float(np.median(np.abs(found - np.median(found)))) / (_GRID / 2) ** 2

    def _transformed(self, bright: Floats) -> Floats:
        found: Floats = (self._rows @ bright @ self._columns.T).ravel()
        return found


def as_bits(frequencies: Floats | None) -> int:
    """The hash of 64 bits; 0 for None."""
    if frequencies is None:
        return 0
    half = len(frequencies) // 2
    ordered = np.sort(frequencies)
    bits = np.packbits(frequencies > (ordered[half - 1] + ordered[half]) / 2)
    return int.from_bytes(bits.tobytes(), "big")


def summary(frequencies: list[Floats | None]) -> list[int]:
    """Four hashes, of the means over the quarters of a clip."""
    count = len(frequencies)
    parts = []
    for part in range(PARTS):
        start = part * count // PARTS
        stop = max(-(-(part + 1) * count // PARTS), start + 1)
        seen = [values for values in frequencies[start:stop] if values is not None]
        parts.append(as_bits(np.mean(seen, axis=0) if seen else None))
    return parts


def pack(clip: Clip) -> bytes:
    """As it is stored: a header of 20 bytes (`LCVF`, version, two bytes of zero, interval, count; little-endian), then
    8 bytes, little-endian, a hash."""
    return _HEADER.pack(_MAGIC, _VERSION, 0, clip.interval_s, len(clip.hashes)) + clip.hashes.astype("<u8").tobytes()


def unpack(data: bytes) -> Clip:
    """The reverse. Raises FORMAT_UNSUPPORTED for anything else."""
    if len(data) >= _HEADER.size:
        magic, version, _, interval_s, count = _HEADER.unpack_from(data)
        if (magic, version) == (_MAGIC, _VERSION) and len(data) == _HEADER.size + 8 * count and interval_s > 0:
            return Clip(interval_s, np.frombuffer(data, "<u8", offset=_HEADER.size).astype(np.uint64))
    raise LoomError("FORMAT_UNSUPPORTED", "this is no fingerprint of a video")


def match(one: Clip, other: Clip, *, least_overlap: float = 0.5) -> Match | None:
    """The best of all ways to lay one clip along the other, of which at least `least_overlap` of the shorter one's
    moments lie beside moments of the other; None if there is none."""
    interval_s = max(one.interval_s, other.interval_s)
    a, b = _thinned(one, interval_s), _thinned(other, interval_s)
    shorter = min(np.count_nonzero(a), np.count_nonzero(b))
    best: Match | None = None
    for shift in range(1 - len(a), len(b)):
        beside = b[max(shift, 0) : shift + len(a)]
        part = a[max(-shift, 0) :][: len(beside)]
        both = (part != 0) & (beside != 0)
        count = int(np.count_nonzero(both))
        if not count or count < least_overlap * shorter:
            continue
        distance = float(np.bitwise_count(part[both] ^ beside[both]).mean())
        if best is None or distance < best.distance:
            best = Match(distance, shift * interval_s, float(count / shorter))
    return best


def _thinned(clip: Clip, interval_s: float) -> Hashes:
    return clip.hashes[:: max(round(interval_s / clip.interval_s), 1)]


def _cosines() -> Floats:
    """Rows of the cosine transform of 32 values: the second to the ninth frequency."""
    place = np.arange(_GRID) + 0.5
    return np.cos(np.pi / _GRID * np.outer(np.arange(1, _BITS + 1), place)).astype(np.float32)


def _weights(count: int, start: float, stop: float) -> Floats:
    """How much each of `count` pixels counts for each of 32 cells between two places: by the area they share."""
    edges = np.linspace(start, stop, _GRID + 1) * count
    pixels = np.arange(count)
    low = np.maximum(edges[:-1, None], pixels[None, :])
    high = np.minimum(edges[1:, None], pixels[None, :] + 1)
    shared = np.maximum(high - low, 0.0)
    weights: Floats = (shared / shared.sum(axis=1, keepdims=True)).astype(np.float32)
    return weights
