"""Fingerprints by which copies of a recording are known: how they are made, stored and compared.

The words are those of J. Haitsma and T. Kalker, "A Highly Robust Audio Fingerprinting System" (ISMIR 2002): the signs
of how the difference in energy of neighbouring bands changes in time, here of logarithms, over longer windows and at
fewer moments, so that they need not be laid exactly over each other.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np

from loom.errors import LoomError

Words = np.ndarray[tuple[int], np.dtype[np.uint32]]
Energies = np.ndarray[tuple[int, int], np.dtype[np.float32]]

RATE = 8000
_FRAME, HOP = 8192, 1024
INTERVAL_S = HOP / RATE
BANDS = 33
_LOWEST_HZ, _HIGHEST_HZ = 300.0, 2000.0
_LAG = 4
_FLOOR = 1e-6
"""Energy below this part of the mean counts as noise of the encoding."""
_SILENT = 1e-6
"""Moments with less than this part of the energy of the loudest one are silent."""
_INAUDIBLE = 1e-9
_SEGMENTS = 8
_LEAST_WORDS = 24
_EDGE = _FRAME // HOP // 2
"""Windows that reach over the start or the end hear a click there, as all sounds have it."""
_STEADY = 0.02
"""In natural logarithms: parts of a recording whose spectrum moves less than this are as good as the same."""
_MAGIC = b"LCAF"
_HEADER = struct.Struct("<4sHHdI")
_VERSION = 1


class Match(NamedTuple):
    """How alike two recordings are. `score`: 1 for the same, about 0 for unrelated ones; `offset_s`: how much later
    what they have in common comes in the first one; `overlap_s`: how long it is."""

    score: float
    offset_s: float
    overlap_s: float


class Bander:
    """Takes samples at 8 kHz, piece by piece, and gives the energy in 33 bands at 7.8 moments a second."""

    def __init__(self) -> None:
        edges = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, BANDS + 1) * _FRAME / RATE
        self._edges = np.round(edges).astype(int)
        self._window = np.hanning(_FRAME).astype(np.float32)
        self._held = np.zeros(_FRAME // 2, np.float32)
        self._parts: list[Energies] = []

    def add(self, samples: Any) -> None:
        held = np.concatenate([self._held, samples])
        count = (len(held) - _FRAME) // HOP + 1
        if count > 0:
            frames = np.lib.stride_tricks.sliding_window_view(held, _FRAME)[: count * HOP : HOP]
            for start in range(0, count, 64):
                self._parts.append(self._energies(frames[start : start + 64]))
            held = held[count * HOP :]
        self._held = held

    def end(self) -> Energies:
        """Moments x bands, with the last of the sound; to be called once."""
        self.add(np.zeros(_FRAME // 2, np.float32))
        return np.concatenate(self._parts) if self._parts else np.zeros((0, BANDS), np.float32)

    def _energies(self, frames: Any) -> Energies:
        spectrum = np.fft.rfft(frames * self._window, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        sums: Any = np.add.reduceat(power[:, : self._edges[-1]], self._edges[:-1], axis=1)
        return sums.astype(np.float32)  # type: ignore[no-any-return]


def words_of(energies: Energies) -> Words:
    """A word of 32 bits for each moment; 0 for a silent one, which is like nothing."""
    if len(energies) == 0:
        return np.zeros(0, np.uint32)
    steps = np.diff(_logarithms(energies), axis=1)
    before = np.concatenate([steps[:1].repeat(_LAG, axis=0), steps[:-_LAG]])[: len(steps)]
    bits = np.packbits(steps > before, axis=1, bitorder="big")
    words = np.frombuffer(bits.tobytes(), ">u4").astype(np.uint32)
    words[_silent(energies)] = 0
    return words


def summary(energies: Energies) -> bytes | None:
    """256 bits for the whole: how, in each eighth of what is not silent, the differences of neighbouring bands deviate
    from their mean. Eighths without change are zeros. None for less than 4 s, and where nothing ever changes."""
    heard = np.flatnonzero(~_silent(energies))[_EDGE:-_EDGE]
    if len(heard) < _LEAST_WORDS:
        return None
    first, last = int(heard[0]), int(heard[-1]) + 1
    steps, loud = np.diff(_logarithms(energies), axis=1), ~_silent(energies)
    edges = np.linspace(first, last, _SEGMENTS + 1).round().astype(int)
    means = np.zeros((_SEGMENTS, BANDS - 1), np.float32)
    there = np.zeros(_SEGMENTS, bool)
    for number in range(_SEGMENTS):
        part = slice(edges[number], edges[number + 1])
        if loud[part].any():
            means[number], there[number] = steps[part][loud[part]].mean(axis=0), True
    means -= means[there].mean(axis=0)
    there &= np.abs(means).mean(axis=1) > _STEADY
    means[~there] = -1.0
    return np.packbits(means > 0, axis=1).tobytes() if there.any() else None


def _logarithms(energies: Energies) -> Any:
    return np.log(energies + energies.mean() * _FLOOR + np.float32(1e-20))


def _silent(energies: Energies) -> Any:
    whole = energies.sum(axis=1)
    return whole <= max(float(whole.max(initial=0.0)) * _SILENT, _INAUDIBLE)


def compare(one: Words, other: Words, *, least_s: float = 2.0) -> Match:
    """Lays the words along each other in every way in which they share at least half of the shorter one, and at least
    `least_s` seconds. Unrelated recordings stay below a score of 0.3, copies are above 0.6; in between are recordings
    of which a part is the same."""
    least = max(min(len(one), len(other)) // 2, round(least_s / INTERVAL_S), 1)
    if min(len(one), len(other)) < least:
        return Match(0.0, 0.0, 0.0)
    agreeing = _correlation(_signs(one), _signs(other))
    counted = np.maximum(np.round(_correlation(_present(one), _present(other))), 0.0)
    valid = counted >= least
    if not valid.any():
        return Match(0.0, 0.0, 0.0)
    scores = np.where(valid, agreeing / np.maximum(32 * counted, 1), -1.0)
    # of two that are as good, the one with more in common
    best = int(np.argmax(np.where(valid, scores * np.sqrt(counted), -np.inf)))
    shift = best - (len(other) - 1)
    return Match(float(max(scores[best], 0.0)), shift * INTERVAL_S, float(counted[best]) * INTERVAL_S)


def _signs(words: Words) -> Any:
    """Moments x 32 of 1 and -1; of silent ones 0."""
    bits = np.unpackbits(words.astype(">u4").view(np.uint8).reshape(-1, 4), axis=1)
    signs = bits.astype(np.float32) * 2 - 1
    signs[words == 0] = 0
    return signs


def _present(words: Words) -> Any:
    return (words != 0).astype(np.float32)[:, np.newaxis]


def _correlation(one: Any, other: Any) -> Any:
    """For every shift, from the last of `other` on the first of `one` on, the sum of products."""
    length = len(one) + len(other) - 1
    size = 1 << (length - 1).bit_length()
    spectrum = (np.fft.rfft(one, size, axis=0) * np.fft.rfft(other[::-1], size, axis=0)).sum(axis=1)
    return np.fft.irfft(spectrum, size)[:length]


def distance(one: bytes, other: bytes) -> int:
    """In how many bits two summaries differ."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def pack(words: Words) -> bytes:
    """Little-endian: `LCAF`, version, 0, seconds from one word to the next, their number, the words."""
    return _HEADER.pack(_MAGIC, _VERSION, 0, INTERVAL_S, len(words)) + bytes(words.astype("<u4").tobytes())


def unpack(data: bytes) -> Words:
    """Raises `FILE_DAMAGED` for what `pack` did not make."""
    if len(data) < _HEADER.size or not data.startswith(_MAGIC):
        raise LoomError("FILE_DAMAGED", "this is no fingerprint of a recording")
    _, version, _, interval_s, count = _HEADER.unpack_from(data)
    if version != _VERSION or interval_s != INTERVAL_S or len(data) != _HEADER.size + 4 * count:
        raise LoomError("FILE_DAMAGED", "the fingerprint of the recording is damaged")
    return np.frombuffer(data, "<u4", count, _HEADER.size).astype(np.uint32)
