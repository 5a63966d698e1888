"""Sound, from the first sample to the last, for all that want to hear it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

from cortex.media.track import Clock, Track
from cortex.media.wants import Fed, Listeners, SoundReader

_GAP_S = 0.1
"""Times in files are rounded; only what is missing for longer counts as missing."""
_USUAL = {"1 channels": "mono", "2 channels": "stereo"}
"""What is meant where a file says only how many channels there are."""


class Heard(NamedTuple):
    """A piece of sound. `samples` are float32 of the shape (channels, count), -1 to 1 (louder ones are left as they
    are); they are shared, so do not change them. `time_s` is where they begin, in seconds from the start of the file:
    further on than where the piece before ended if sound is missing between them. `rate` and `layout` (FFmpeg's name,
    such as `mono`, `stereo`, `5.1`) are the same for all pieces, whatever the file does."""

    time_s: float
    rate: int
    layout: str
    samples: np.ndarray[Any, np.dtype[np.float32]]


class Speaker(Track):
    """The first sound stream, in every form that is wanted."""

    NAME = "sound"

    def __init__(self, stream: AudioStream, origin_s: float, listeners: Listeners) -> None:
        super().__init__(stream, origin_s)
        if stream.codec_context.name == "flac" and not stream.codec_context.is_open:
            # Else a frame whose checksum is wrong would be heard as noise.
            stream.codec_context.options = {"err_detect": "crccheck+explode"}
        self._listeners = listeners
        self._forms: list[_Form] = []
        self._clock = Clock(origin_s)
        self._until_s = 0.0

    def end(self) -> None:
        super().end()
        for form in self._forms:
            form.end()

    def _show(self, frame: AudioFrame) -> None:
        if not self._forms:
            self._forms = self._forms_of(frame)
        time_s = self._clock.at(frame.time, self._until_s)
        self._until_s = time_s + frame.samples / (frame.sample_rate or 1)
        self.condition.add(time_s, self._until_s, patched=frame.is_corrupt)
        for form in self._forms:
            if not form.take(frame, time_s):
                self.damaged += 1

    def _forms_of(self, frame: AudioFrame) -> list[_Form]:
        listening: dict[tuple[int, str], list[Fed[SoundReader]]] = {}
        layout = _USUAL.get(frame.layout.name, frame.layout.name)
        for feed, fed in self._listeners.values():
            form = feed.rate or frame.sample_rate, "mono" if feed.mono else layout
            listening.setdefault(form, []).append(fed)
        return [_Form(rate, layout, fed) for (rate, layout), fed in listening.items()]


class _Form:
    """Sound at one rate in one layout, made once for all who want it so."""

    def __init__(self, rate: int, layout: str, listening: list[Fed[SoundReader]]) -> None:
        self._rate = rate
        self._layout = layout
        self._listening = listening
        self._resampler = self._new()
        self._next_s: float | None = None

    def take(self, frame: AudioFrame, time_s: float) -> bool:
        """False for sound that cannot be brought into this form."""
        if self._next_s is None or time_s > self._next_s + _GAP_S:
            self._next_s = time_s
        try:
            pieces = self._resampler.resample(frame)
        except (ValueError, av.FFmpegError):  # the stream changed its form in the middle
            self.end()
            self._resampler = self._new()
            try:
                pieces = self._resampler.resample(frame)
            except (ValueError, av.FFmpegError):
                return False
        self._give(pieces)
        return True

    def end(self) -> None:
        self._give(self._resampler.resample(None))

    def _new(self) -> AudioResampler:
        return AudioResampler(format="fltp", layout=self._layout, rate=self._rate)

    def _give(self, pieces: list[AudioFrame]) -> None:
        for piece in pieces:
            if not piece.samples:
                continue
            samples = _samples(piece)
            start_s = self._next_s or 0.0
            self._next_s = start_s + piece.samples / self._rate
            for fed in self._listening:
                fed.update(Heard(start_s, self._rate, self._layout, samples))


def _samples(piece: AudioFrame) -> Any:
    """Channels x count. What is no number, as damaged files hold it, becomes silence."""
    planes: Any = piece.planes
    channels = [np.frombuffer(plane, np.float32, piece.samples) for plane in planes]
    samples = channels[0][np.newaxis] if len(channels) == 1 else np.stack(channels)
    if math.isfinite(float(samples.sum())):
        return samples
    return np.nan_to_num(samples, posinf=0.0, neginf=0.0)
