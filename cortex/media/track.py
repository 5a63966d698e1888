"""What decoding one stream from end to end has in common, be it pictures or sound."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import av
from av.packet import Packet
from av.stream import Stream

from loom.errors import LoomError


class Track(ABC):
    """One stream on its way to its readers. `origin_s` is where the file begins, in seconds of the stream's own time;
    `count` is how many frames were decoded, `damaged` how many packets could not be."""

    def __init__(self, stream: Stream, origin_s: float) -> None:
        self.stream = stream
        self.count = 0
        self.damaged = 0
        self._origin_s = origin_s

    def take(self, packet: Packet[Any]) -> None:
        """Decodes a packet; a damaged one is passed over, as a player does."""
        self._decode(packet)

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
