"""What decoding one stream from end to end has in common, be it pictures or sound."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import av
from av.packet import Packet
from av.stream import Stream

from loom.errors import LoomError

HOLLOW = 4096
"""So many zero bytes in a row, a page of memory or of a disk, are no part of what an encoder gave."""
_DENSE = frozenset(
    {
        "h264", "hevc", "vvc", "av1", "vp8", "vp9", "mpeg4", "msmpeg4v2", "msmpeg4v3", "wmv1", "wmv2", "wmv3", "vc1",
        "theora", "h263", "flv1", "aac", "mp3", "mp3float", "opus", "vorbis", "flac", "alac", "ac3", "eac3", "dca",
        "wmav2",
    }
)  # fmt: skip
"""Codecs that never write so many zeros; others fill up frames of a fixed size with them, or do not compress."""
_PADDED = frozenset({"mpegts", "mpeg"})
"""Containers in which zeros may stand between frames."""


@dataclass
class Condition:
    """In what state a stream was found: how many `packets` it has; how many of them the container marks as damaged
    (`marked`) or hold 4,096 zero bytes in a row (`hollow`); how many frames the decoder had to patch up (`patched`).
    `fault_s` and `hollow_s` are where the first of these (and of those that could not be decoded) are, `from_s` and
    `until_s` where what was decoded begins and ends, in seconds from the start of the file; `decoded_s` is how long it
    is without gaps."""

    packets: int = 0
    marked: int = 0
    hollow: int = 0
    patched: int = 0
    fault_s: float | None = None
    hollow_s: float | None = None
    from_s: float | None = None
    until_s: float = 0.0
    decoded_s: float = 0.0

    def add(self, time_s: float, until_s: float, *, patched: bool) -> None:
        """Takes note of a decoded frame."""
        self.from_s = time_s if self.from_s is None else self.from_s
        self.until_s = until_s
        self.decoded_s += until_s - time_s
        if patched:
            self.patched += 1
            self.fault_s = time_s if self.fault_s is None else self.fault_s


class Track(ABC):
    """One stream on its way to its readers. `origin_s` is where the file begins, in seconds of the stream's own time;
    `count` is how many frames were decoded, `damaged` how many packets could not be."""

    def __init__(self, stream: Stream, origin_s: float) -> None:
        self.stream = stream
        self.count = 0
        self.damaged = 0
        self.condition = Condition()
        self._origin_s = origin_s
        self._dense = stream.codec_context.name in _DENSE and stream.container.format.name not in _PADDED

    def take(self, packet: Packet[Any]) -> None:
        """Decodes a packet; a damaged one is passed over, as a player does."""
        self._look_at(packet)
        self._decode(packet)

    def _look_at(self, packet: Packet[Any]) -> None:
        found = self.condition
        found.packets += 1
        if packet.is_corrupt:
            found.marked += 1
            self._note_fault(packet)
        if self._dense and packet.size >= HOLLOW and _ZEROS in bytes(packet):
            found.hollow += 1
            found.hollow_s = self._time_of(packet) if found.hollow_s is None else found.hollow_s

    def _note_fault(self, packet: Packet[Any]) -> None:
        if self.condition.fault_s is None:
            self.condition.fault_s = self._time_of(packet)

    def _time_of(self, packet: Packet[Any]) -> float:
        told = packet.pts if packet.pts is not None else packet.dts
        if told is None or not self.stream.time_base:
            return self.condition.until_s
        return max(float(told * self.stream.time_base) - self._origin_s, 0.0)

    def end(self) -> None:
        """Gets out what the decoder holds back."""
        nothing: Any = Packet()
        nothing.stream, nothing.time_base = self.stream, self.stream.time_base
        self._decode(nothing)

    def _decode(self, packet: Packet[Any]) -> None:
        context: Any = self.stream.codec_context
        try:
            frames = context.decode(packet)
        except (EOFError, MemoryError) as error:
            if isinstance(error, MemoryError):
                raise
            return
        except av.FFmpegError:
            self.damaged += 1
            self._note_fault(packet)
            return
        for frame in frames:
            self._show(frame)
            self.count += 1

    @abstractmethod
    def _show(self, frame: Any) -> None: ...

    def fault(self) -> LoomError | None:
        """Why the readers have seen nothing, if so."""
        return None if self.count else LoomError("FILE_DAMAGED", f"no {self.NAME} of the file can be decoded")

    NAME: str


class Clock:
    """Times that never run backwards. Where a stream jumps back (two recordings joined, a counter that ran over) it
    goes on from there."""

    def __init__(self, origin_s: float) -> None:
        self._shift_s = -origin_s
        self._last_s = 0.0

    def at(self, told_s: float | None, expected_s: float) -> float:
        """Seconds from the start of the file; `expected_s` is where what came before ends, and taken where nothing is
        told."""
        if told_s is None or not math.isfinite(told_s):
            time_s = expected_s
        else:
            time_s = told_s + self._shift_s
            if time_s < self._last_s - _JUMP_S:
                self._shift_s += expected_s - time_s
                time_s = expected_s
        self._last_s = max(time_s, self._last_s)
        return self._last_s


_JUMP_S = 1.0
_ZEROS = bytes(HOLLOW)
