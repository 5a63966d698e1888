"""Samples of sound."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from cortex.media.decoding import decoded
from cortex.media.frames import Reopen
from loom.errors import LoomError

Samples = np.ndarray[tuple[int], np.dtype[np.float32]]

_MAX_ERRORS = 200
_WAVEFORM_RATE = 8000
_LONG_S = 900.0
"""Longer sound is not decoded from end to end for a waveform but tasted at as many places as it has columns."""
_TASTE_S = 0.08


class Sounds:
    """The samples of the first sound stream; `source` stands at its start. Raises FORMAT_UNSUPPORTED when there is none
    that can be decoded."""

    def __init__(self, reopen: Reopen, source: InputContainer) -> None:
        self._reopen = reopen
        self._use(source)

    def _use(self, source: InputContainer) -> None:
        self._source = source
        self._stream = sound_stream(source)
        self._base = float(self._stream.time_base or 0)
        self._start = self._stream.start_time or 0

    def read(self, rate: int, start_s: float, max_seconds: float) -> Samples:
        """Mono float32 samples from a moment on. Raises FILE_DAMAGED when nothing of the sound can be decoded."""
        wanted = max(int(rate * max_seconds), 0)
        if start_s:
            self._go_to(start_s)
        pieces: list[Samples] = []
        count = 0
        for piece in self._resampled(rate, start_s):
            pieces.append(piece)
            count += len(piece)
            if count >= wanted:
                break
        if not pieces and start_s == 0:
            raise LoomError("FILE_DAMAGED", "nothing of the sound can be decoded")
        return np.concatenate(pieces)[:wanted] if pieces else np.zeros(0, np.float32)

    def peaks(self, duration_s: float | None, count: int) -> Samples:
        """The loudest sample, 0 to 1, in each of `count` equal parts; of long sound in a short piece of each part."""
        if duration_s is not None and duration_s > _LONG_S and self._go_to(duration_s / 2):
            moments = [(number + 0.5) * duration_s / count for number in range(count)]
            parts = [self.read(_WAVEFORM_RATE, moment, _TASTE_S) for moment in moments]
        else:
            samples = self.read(_WAVEFORM_RATE, 0.0, _LONG_S)
            edges = np.linspace(0, len(samples), count + 1).astype(int)
            parts = [samples[a:b] for a, b in pairwise(edges)]
        return np.array([min(float(np.abs(part).max()), 1.0) if len(part) else 0.0 for part in parts], np.float32)

    def _go_to(self, start_s: float) -> bool:
        """Near a moment; to the start, with the answer False, where the format cannot seek."""
        try:
            self._source.seek(self._start + (int(start_s / self._base) if self._base else 0), stream=self._stream)
        except (av.FFmpegError, OverflowError, PermissionError):
            self._use(self._reopen())
            return False
        return True

    def _resampled(self, rate: int, start_s: float) -> Iterator[Samples]:
        resampler = AudioResampler(format="flt", layout="mono", rate=rate)
        begin = self._start * self._base + start_s
        frames: Iterator[AudioFrame] = decoded(self._source, self._stream, most_errors=_MAX_ERRORS)
        for frame in frames:
            if start_s and frame.time is not None and frame.time + frame.samples / (frame.sample_rate or 1) <= begin:
                continue
            try:
                resampled = resampler.resample(frame)
            except (ValueError, av.FFmpegError):  # the stream changed its form in the middle
                resampler = AudioResampler(format="flt", layout="mono", rate=rate)
                resampled = resampler.resample(frame)
            for piece in resampled:
                yield np.nan_to_num(piece.to_ndarray().reshape(-1), posinf=0.0, neginf=0.0)


def sound_stream(source: InputContainer) -> AudioStream:
    """The first. Raises FORMAT_UNSUPPORTED when there is none that can be decoded."""
    stream = next(iter(source.streams.audio), None)
    if stream is None:
        raise LoomError("FORMAT_UNSUPPORTED", "the file has no sound")
    if stream.codec_context is None:
        raise LoomError("FORMAT_UNSUPPORTED", "no decoder for the sound is installed")
    return stream
