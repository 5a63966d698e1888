"""Samples of sound."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from loom.errors import LoomError

Samples = np.ndarray[tuple[int], np.dtype[np.float32]]

_MAX_ERRORS = 200
_WAVEFORM_RATE = 8000
_LONG_S = 900.0
"""Longer sound is not decoded from end to end for a waveform but tasted at as many places as it has columns."""
_TASTE_S = 0.08


def read(source: InputContainer, rate: int, start_s: float, max_seconds: float) -> Samples:
    """Mono float32 samples from a moment on. Raises FORMAT_UNSUPPORTED when there is no sound, FILE_DAMAGED when
    nothing of it can be decoded."""
    stream = _sound(source)
    wanted = max(int(rate * max_seconds), 0)
    _go_to(source, stream, start_s)
    pieces: list[Samples] = []
    count = 0
    for piece in _resampled(source, stream, rate, start_s):
        pieces.append(piece)
        count += len(piece)
        if count >= wanted:
            break
    if not pieces and start_s == 0:
        raise LoomError("FILE_DAMAGED", "nothing of the sound can be decoded")
    return np.concatenate(pieces)[:wanted] if pieces else np.zeros(0, np.float32)


def peaks(source: InputContainer, duration_s: float | None, count: int) -> Samples:
    """The loudest sample, 0 to 1, in each of `count` equal parts; of long sound in a short piece of each part."""
    if duration_s is not None and duration_s > _LONG_S:
        step = duration_s / count
        return np.array([_loudest(source, number * step) for number in range(count)], np.float32)
    samples = np.abs(read(source, _WAVEFORM_RATE, 0.0, _LONG_S))
    edges = np.linspace(0, len(samples), count + 1).astype(int)
    parts = [samples[a:b] for a, b in pairwise(edges)]
    return np.array([min(float(part.max()), 1.0) if len(part) else 0.0 for part in parts], np.float32)


def _loudest(source: InputContainer, start_s: float) -> float:
    samples = read(source, _WAVEFORM_RATE, max(start_s, 1e-6), _TASTE_S)
    return min(float(np.abs(samples).max()), 1.0) if len(samples) else 0.0


def _sound(source: InputContainer) -> AudioStream:
    stream = next(iter(source.streams.audio), None)
    if stream is None:
        raise LoomError("FORMAT_UNSUPPORTED", "the file has no sound")
    if stream.codec_context is None:
        raise LoomError("FORMAT_UNSUPPORTED", "no decoder for the sound is installed")
    return stream


def _go_to(source: InputContainer, stream: AudioStream, start_s: float) -> None:
    base = stream.time_base
    with suppress(av.FFmpegError, OverflowError):
        source.seek((stream.start_time or 0) + (int(start_s / base) if base else 0), stream=stream)


def _resampled(source: InputContainer, stream: AudioStream, rate: int, start_s: float) -> Iterator[Samples]:
    resampler = AudioResampler(format="flt", layout="mono", rate=rate)
    begin = float((stream.start_time or 0) * (stream.time_base or 0)) + start_s
    for frame in _decoded(source, stream):
        if start_s and frame.time is not None and frame.time + frame.samples / (frame.sample_rate or 1) <= begin:
            continue
        try:
            resampled = resampler.resample(frame)
        except (ValueError, av.FFmpegError):  # the stream changed its form in the middle
            resampler = AudioResampler(format="flt", layout="mono", rate=rate)
            resampled = resampler.resample(frame)
        for piece in resampled:
            yield np.nan_to_num(piece.to_ndarray().reshape(-1), posinf=0.0, neginf=0.0)


def _decoded(source: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """Frames from here on; damaged packets are passed over, a limited number of them."""
    errors = 0
    packets = source.demux(stream)
    while errors <= _MAX_ERRORS:
        try:
            packet = next(packets, None)
            if packet is None:
                return
            frames = packet.decode()
        except EOFError:
            return
        except av.FFmpegError:
            errors += 1
            continue
        yield from frames
