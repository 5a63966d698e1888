"""A whole film or recording, decoded once from end to end for all who want to see or hear it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import av
from av.container import InputContainer
from av.packet import Packet

from cortex.media.frames import video_stream
from cortex.media.projector import Projector
from cortex.media.samples import sound_stream
from cortex.media.speaker import Speaker
from cortex.media.stills import Stills
from cortex.media.track import Condition, Track
from cortex.media.wants import Audience, Listeners, Progress
from loom.errors import LoomError

_MAX_FAILURES = 10
"""How often in a row the container may fail to give a packet before that counts as its end."""
_STEPS = 1000
"""Progress is told in steps of this part of the whole, in bytes or in time, so that it ends at some time."""


class Played(NamedTuple):
    """What came of one stream: how many of its frames were decoded (pictures, or pieces of sound), how many packets
    were damaged and passed over, why its readers got nothing, if so, and in what state it was found."""

    decoded: int = 0
    damaged: int = 0
    fault: LoomError | None = None
    condition: Condition | None = None


class Tally(NamedTuple):
    """What came of decoding a file from end to end; None of what nobody wanted."""

    pictures: Played | None
    sound: Played | None


class Reel:
    """`size` is that of the file in bytes, `duration_s` its length, None if it does not tell. `progress` is told now
    and then which part is done."""

    def __init__(self, source: InputContainer, size: int, duration_s: float | None, progress: Progress | None) -> None:
        self._source = source
        self._size = size
        self._duration = duration_s
        self._progress = progress
        self._origin_s = (source.start_time or 0) / 1_000_000

    def play(self, audience: Audience, listeners: Listeners, max_pixels: int, stills: tuple[Stills, ...] = ()) -> Tally:
        """Feeds all of them in one pass. What is missing of one kind is no reason to go without the other."""
        projector = speaker = None
        if audience:
            projector = _made(
                lambda: Projector(video_stream(self._source), self._origin_s, audience, max_pixels, stills),
            )
        if listeners:
            speaker = _made(lambda: Speaker(sound_stream(self._source), self._origin_s, listeners))
        tracks = [track for track in (projector, speaker) if isinstance(track, Track)]
        if tracks:
            self._run({track.stream.index: track for track in tracks})
        return Tally(_played(projector), _played(speaker))

    def _run(self, tracks: dict[int, Track]) -> None:
        told = _Told(self._size, self._duration, self._origin_s)
        bases = {index: float(track.stream.time_base or 0) for index, track in tracks.items()}
        for packet in self._packets([track.stream for track in tracks.values()]):
            # An empty packet would mean the end of the stream; in AVI it stands for a frame that is shown again.
            if not packet.size:
                continue
            index = packet.stream_index
            tracks[index].take(packet)
            if told.moves(packet, bases[index]) and self._progress is not None:
                self._progress(told.fraction)
        for track in tracks.values():
            track.end()

    def _packets(self, streams: list[Any]) -> Iterator[Packet[Any]]:
        """All that the container gives; after damage it is asked again, as a player does."""
        failures = 0
        while failures < _MAX_FAILURES:
            try:
                for packet in self._source.demux(*streams):
                    failures = 0
                    yield packet
                return
            except EOFError:
                return
            except MemoryError:
                raise
            except av.FFmpegError:
                failures += 1


class _Told:
    """How far a pass is, by the bytes and by the times of its packets: either may be wrong or missing."""

    def __init__(self, size: int, duration_s: float | None, origin_s: float) -> None:
        self._size = max(size, 1)
        self._duration = duration_s
        self._origin_s = origin_s
        self._bytes = 0
        self._by_bytes = 0
        self._by_time = 0

    @property
    def fraction(self) -> float:
        return max(self._by_bytes, self._by_time) / _STEPS

    def moves(self, packet: Packet[Any], base_s: float) -> bool:
        """Whether another step is done with this packet; `base_s` is the unit of its times in seconds."""
        self._bytes += packet.size
        by_bytes = min(self._bytes * _STEPS // self._size, _STEPS)
        by_time = self._by_time
        if self._duration and packet.dts is not None:
            passed = (packet.dts * base_s - self._origin_s) / self._duration
            by_time = min(max(int(passed * _STEPS), by_time), _STEPS)
        moved = by_bytes > self._by_bytes or by_time > self._by_time
        self._by_bytes, self._by_time = by_bytes, by_time
        return moved


def _made(make: Callable[[], Track]) -> Track | LoomError:
    try:
        return make()
    except LoomError as error:
        return error


def _played(track: Track | LoomError | None) -> Played | None:
    if isinstance(track, Track):
        return Played(track.count, track.damaged, track.fault(), track.condition)
    return None if track is None else Played(fault=track)
