"""Encoding pictures and sound, each for itself; what comes of it is joined later."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.video.frame import PictureType
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from cortex.media.speaker import Heard
from cortex.media.spill import Pile, scratch
from cortex.operators.films.transcode_forms import MB, check_size
from cortex.operators.sound.loudness import LoudnessReader

if TYPE_CHECKING:
    from cortex.media.shown import Shown

RATE = 48_000
_TICK = Fraction(1, 90_000)
_KEY_S = 2.0
_USUAL_RATE = 25
_LONGEST_GAP_S = 3600.0
"""A gap of more is a fault in the file's times."""
_AT_ONCE = RATE * 10
_HEAD = struct.Struct("<Iqqq??")
"""Of a packet that waits: how many bytes it has, its times, whether it can be sought, and whether it is kept whole."""
_NONE = -(1 << 63)
_TOLD_TO_MUXERS = ("skip_samples", "new_extradata")

_COLOURS = {
    "colorspace": Colorspace.ITU709,
    "color_range": ColorRange.MPEG,
    "color_primaries": ColorPrimaries.BT709,
    "color_trc": ColorTrc.BT709,
}
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Encoding(NamedTuple):
    """An encoder of FFmpeg, the format of the file it is for, its options, and its bit rate in bit/s where that is
    given."""

    encoder: str
    container: str
    options: dict[str, str]
    bit_rate: int | None


class Track:
    """What was encoded until now, of `stream`, which belongs to a container that nobody writes. Raises FILE_TOO_LARGE
    above `most` bytes."""

    def __init__(self, encoding: Encoding, most: int) -> None:
        self.stream: Any = None
        self._pile = Pile(scratch())
        self._whole: list[Any] = []
        self._base: Any = None
        self._encoding = encoding
        self._most = most
        self._container: Any = None

    def begin(self, rate: int, context: Mapping[str, Any] = _NOTHING, **settings: Any) -> None:
        """`context`: attributes of the encoder's context."""
        self._container = av.open(io.BytesIO(), "w", format=self._encoding.container)
        options = dict(self._encoding.options)
        stream: Any = self._container.add_stream(self._encoding.encoder, rate=rate, options=options, **settings)
        stream.codec_context.thread_count = 1
        if self._encoding.bit_rate is not None:
            stream.codec_context.bit_rate = self._encoding.bit_rate
        for name, value in context.items():
            setattr(stream.codec_context, name, value)
        self._container.start_encoding()
        self.stream = stream

    def add(self, frame: Any) -> None:
        """A frame; None for the end."""
        for packet in self.stream.encode(frame):
            self._keep(packet)
        if self._pile.size > self._most:
            check_size(self._pile.size, self._most // MB)

    def _keep(self, packet: Any) -> None:
        self._base = packet.time_base
        is_whole = any(packet.has_sidedata(kind) for kind in _TOLD_TO_MUXERS)
        if is_whole:
            self._whole.append(packet)
        times = (_NONE if time is None else time for time in (packet.pts, packet.dts, packet.duration))
        size = 0 if is_whole else packet.size
        head = _HEAD.pack(size, *times, packet.is_keyframe, is_whole)
        self._pile.add(head if is_whole else head + bytes(packet))

    def packets(self) -> Iterator[Any]:
        """All of them, in order, once."""
        whole = iter(self._whole)
        for block in self._pile.blocks():
            at = 0
            while at < len(block):
                size, pts, dts, duration, is_key, is_whole = _HEAD.unpack_from(block, at)
                at += _HEAD.size
                yield next(whole) if is_whole else self._packet(block[at : at + size], pts, dts, duration, is_key)
                at += size

    def _packet(self, data: bytes, pts: int, dts: int, duration: int, is_key: bool) -> Any:
        packet: Any = av.Packet(data)
        packet.pts = None if pts == _NONE else pts
        packet.dts = None if dts == _NONE else dts
        packet.duration = None if duration == _NONE else duration
        packet.time_base, packet.is_keyframe = self._base, is_key
        return packet

    def end(self) -> None:
        """To be called after the last frame."""
        if self.stream is not None:
            self.add(None)


class PictureEncoder:
    """Encodes frames of at most `side` pixels, each shown for as long as it was."""

    def __init__(self, encoding: Encoding, side: int, rate: float | None, most: int) -> None:
        self.track = Track(encoding, most)
        self.count = 0
        self.until_s = 0.0
        self._side = side
        self._rate = rate
        self._last = -1

    def update(self, shown: Shown) -> None:
        frame = self._frame(shown)
        if self.track.stream is None:
            self._begin(frame, shown.until_s - shown.time_s)
        stamp = max(round(shown.time_s / _TICK), self._last + 1)
        frame.pts, frame.time_base, frame.pict_type = stamp, _TICK, PictureType.NONE
        self._last, self.until_s = stamp, shown.until_s
        self.track.add(frame)
        self.count += 1

    def _frame(self, shown: Shown) -> Any:
        return shown.coded(self._side)

    def _begin(self, frame: Any, length_s: float) -> None:
        usual = round(1 / length_s) if length_s > 0.001 else _USUAL_RATE
        rate = max(round(self._rate) if self._rate is not None else usual, 1)
        context = {"time_base": _TICK, "gop_size": max(round(_KEY_S * rate), 1), **_COLOURS}
        self.track.begin(rate, context, width=frame.width, height=frame.height, pix_fmt="yuv420p")


class SoundEncoder:
    """Encodes sound at 48 kHz with silence where some is missing, `gain` times as loud."""

    def __init__(self, encoding: Encoding, layout: str, form: str, most: int, gain: float = 1.0) -> None:
        self.track = Track(encoding, most)
        self._layout = layout
        self._form = form
        self._gain = np.float32(gain)
        self._resampler: Any = None
        self._resampled_in = ""
        self._given = 0

    @property
    def seconds(self) -> float:
        return self._given / RATE

    def update(self, piece: Heard) -> None:
        if self.track.stream is None:
            self.track.begin(RATE, layout=self._layout, format=self._form)
        missing = round(piece.time_s * RATE) - self._given
        while RATE // 20 < missing <= _LONGEST_GAP_S * RATE:
            silent = min(missing, _AT_ONCE)
            self._give(np.zeros((piece.samples.shape[0], silent), np.float32), piece.layout)
            missing -= silent
        self._give(np.ascontiguousarray(piece.samples * self._gain), piece.layout)

    def _give(self, samples: Any, layout: str) -> None:
        frame = AudioFrame.from_ndarray(samples, "fltp", layout)
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._given, Fraction(1, RATE)
        self._given += samples.shape[1]
        if layout != self._resampled_in:
            self._resampler = AudioResampler(format=self._form, layout=self._layout, rate=RATE)
            self._resampled_in = layout
        for made in self._resampler.resample(frame):
            self.track.add(made)


class MixedLoudness(LoudnessReader):
    """Measures sound as it is after it was mixed to other channels, which makes it louder or quieter."""

    def __init__(self, layout: str) -> None:
        super().__init__()
        self._layout = layout
        self._resampler: Any = None

    def update(self, piece: Heard) -> None:
        if piece.layout == self._layout:
            super().update(piece)
            return
        if self._resampler is None:
            self._resampler = AudioResampler(format="fltp", layout=self._layout, rate=piece.rate)
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(piece.samples), "fltp", piece.layout)
        frame.sample_rate = piece.rate
        for mixed in self._resampler.resample(frame):
            super().update(Heard(piece.time_s, piece.rate, self._layout, mixed.to_ndarray()))
