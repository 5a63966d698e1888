"""The shape of a recording, for players to draw."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec
from pydantic import Field

from cortex.media.wants import SoundFeed, Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.sound.loudness import has_sound
from loom.graph.specs import Port
from loom.model import Kind

if TYPE_CHECKING:
    import numpy as np

    from cortex.media import Media
    from cortex.media.speaker import Heard

    Points = np.ndarray[Any, Any]

_MOST_POINTS = 1 << 20
"""Where a recording would have more, two points are made one, as often as needed."""
_LONGEST_GAP = 1 << 20
"""A gap of more points is a fault in the file's times."""
_AT_ONCE = 1 << 20
_HEADER = struct.Struct("<iIiiIi")


class WaveformOptions(NodeOptions):
    points: int = Field(20, ge=1, le=1000, description="Points a second, each with the lowest and the highest sample")
    channels: Literal["mono", "all"] = Field("mono", description="Mixed to one, or each channel by itself")
    format: Literal["json", "binary"] = Field("json", description="Of the artifact; binary is half as large")
    bits: Literal[8, 16] = Field(8, description="Of each value; 8 are enough to draw")


class Waveform(MediaNode[WaveformOptions]):
    """Makes the waveform of a recording: the lowest and the highest sample of each short piece.

    The artifact `waveform` has the data format of audiowaveform, version 2, which players such as peaks.js and
    wavesurfer.js draw: as JSON (`version`, `channels`, `sample_rate`, `samples_per_pixel`, `bits`, `length`, `data`
    with minimum and maximum in turn, channel by channel) or binary (.dat). Where sound is missing in the middle it is
    silent. Recordings of more than 1,048,576 points get half as many points a second, or a quarter, and so on.

    Videos without sound are not processed. Refuses FORMAT_UNSUPPORTED (no sound, no decoder), FILE_DAMAGED (nothing of
    the sound can be decoded) and FILE_TRUNCATED (the index is missing). Damage in the middle is passed over.
    """

    operator = "audio.waveform"
    outputs = (Port(id="out", content_type="artifact/waveform", key="waveform"),)
    kinds = frozenset({Kind.AUDIO, Kind.VIDEO})
    reads = ()
    verdicts = False
    POINTS = OutputKey("points", int, "number of points of each channel")
    SECONDS = OutputKey("seconds_per_point", float, "how long each point is")
    CHANNELS = OutputKey("channels", int, "number of channels")
    MEDIA_TYPE = OutputKey("media_type", str, "application/json or application/octet-stream")

    @property
    def _reader(self) -> str:
        return f"waveform {self.options.points} {self.options.channels}"

    def wants(self) -> Wants:
        return Wants(sounds={self._reader: SoundFeed(self._make, mono=self.options.channels == "mono")})

    def _make(self) -> WaveformReader:
        return WaveformReader(self.options.points)

    def is_processable(self, media: Media) -> bool:
        return super().is_processable(media) and has_sound(media)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        reader = cast(WaveformReader, media.heard(self._reader, ctx.progress))
        media_type = "application/json" if self.options.format == "json" else "application/octet-stream"
        peaks = reader.peaks()
        ctx.artifact("waveform", self._encoded(reader, peaks), media_type)
        ctx.output(self.POINTS, peaks.shape[0])
        ctx.output(self.CHANNELS, peaks.shape[1])
        ctx.output(self.SECONDS, round(reader.samples_per_point / reader.rate, 6))
        ctx.output(self.MEDIA_TYPE, media_type)

    def _encoded(self, reader: WaveformReader, peaks: Points) -> bytes:
        import numpy as np

        length, channels, _ = peaks.shape
        top = 2 ** (self.options.bits - 1) - 1
        values: Any = np.clip(np.round(peaks * top), -top - 1, top).astype("<i1" if self.options.bits == 8 else "<i2")
        if self.options.format == "json":
            shape = {
                "version": 2,
                "channels": channels,
                "sample_rate": reader.rate,
                "samples_per_pixel": reader.samples_per_point,
                "bits": self.options.bits,
                "length": length,
            }
            return msgspec.json.encode({**shape, "data": values.ravel().tolist()})
        eight = int(self.options.bits == 8)
        return _HEADER.pack(2, eight, reader.rate, reader.samples_per_point, length, channels) + bytes(values.tobytes())


class WaveformReader:
    """Takes sound and keeps the extremes of every `samples_per_point` samples."""

    def __init__(self, points_per_s: int) -> None:
        self._points_per_s = points_per_s
        self._fine = 1
        self._factor = 1
        self._done: list[Points] = []
        self._count = 0
        self._open: Points | None = None
        self._rest: Points | None = None
        self._next_s = 0.0
        self.rate = 1

    @property
    def samples_per_point(self) -> int:
        return self._fine * self._factor

    def update(self, piece: Heard) -> None:
        import numpy as np

        channels, count = piece.samples.shape
        if self._rest is None:
            self.rate = piece.rate
            self._fine = max(round(piece.rate / self._points_per_s), 1)
            self._rest = np.zeros((channels, 0), np.float32)
        missing = round((piece.time_s - self._next_s) * piece.rate)
        while 0 < missing <= _LONGEST_GAP * self._fine:
            silent = min(missing, _AT_ONCE)
            self._take(np.zeros((channels, silent), np.float32))
            missing -= silent
        self._take(piece.samples)
        self._next_s = piece.time_s + count / piece.rate

    def peaks(self) -> Points:
        """Points x channels x (lowest, highest), -1 to 1; the last point may stand for less."""
        import numpy as np

        parts = list(self._done)
        last = [] if self._open is None else [self._open]
        if self._rest is not None and self._rest.shape[1]:
            last.append(_extremes(self._rest, self._rest.shape[1]))
        if any(len(points) for points in last):
            left = np.concatenate(last)
            parts.append(_joined(left, len(left)))
        return np.concatenate(parts) if parts else np.zeros((0, 1, 2), np.float32)

    def _take(self, samples: Points) -> None:
        import numpy as np

        held = np.concatenate([self._rest, samples], axis=1) if self._rest is not None else samples
        whole = held.shape[1] - held.shape[1] % self._fine
        self._rest = held[:, whole:]
        if whole:
            self._add(_extremes(held[:, :whole], self._fine))

    def _add(self, fine: Points) -> None:
        """Points of the finest sort; when there are too many, all are made half as fine."""
        import numpy as np

        waiting = fine if self._open is None else np.concatenate([self._open, fine])
        while True:
            room = (_MOST_POINTS - self._count) * self._factor
            taken = min(room, len(waiting) // self._factor * self._factor)
            if taken:
                self._done.append(_joined(waiting[:taken], self._factor))
                self._count += taken // self._factor
                waiting = waiting[taken:]
            if self._count < _MOST_POINTS:
                break
            self._done = [_joined(np.concatenate(self._done), 2)]
            self._count, self._factor = self._count // 2, self._factor * 2
        self._open = waiting


def _joined(points: Points, every: int) -> Points:
    """Of so many points each time one."""
    import numpy as np

    groups = points.reshape(-1, every, *points.shape[1:])
    return np.stack([groups[..., 0].min(axis=1), groups[..., 1].max(axis=1)], axis=-1)


def _extremes(samples: Points, every: int) -> Points:
    """Of (channels, count) samples, points x channels x (lowest, highest)."""
    import numpy as np

    parts = samples.reshape(samples.shape[0], -1, every)
    return np.stack([parts.min(axis=2), parts.max(axis=2)], axis=-1).transpose(1, 0, 2)
