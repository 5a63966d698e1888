"""Holds the sound of a recording for a model that must hear it in long stretches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cortex.media.speaker import Heard

RATE = 16_000
WINDOW_S = 300
"""A model hears no more at once: what it needs for that grows with it."""

_BLOCK = 30 * RATE
_SEARCH_S = 30
_QUIET = RATE * 2 // 5
"""Windows end in the quietest 0.4 s of their last 30."""
_GAP_S = 0.1


class Window(NamedTuple):
    """A stretch of sound; `start_s` is of the recording, `samples` are -1 to 1."""

    start_s: float
    samples: NDArray[np.float32]


class SpeechStore:
    """Takes mono sound at 16 kHz, no more than `most_s` seconds of it, at two bytes a sample: 1.92 MB a minute. Where
    some is missing there is silence."""

    def __init__(self, most_s: float) -> None:
        self._most = int(most_s * RATE)
        self._blocks: list[NDArray[np.int16]] = []
        self._count = 0
        self._begin_s: float | None = None
        self.truncated = False
        """Whether there was more."""

    @property
    def seconds(self) -> float:
        return self._count / RATE

    def update(self, piece: Heard) -> None:
        import numpy as np

        samples = piece.samples[0]
        if self._begin_s is None:
            self._begin_s = piece.time_s
        missing = piece.time_s - self._begin_s - self.seconds
        if missing > _GAP_S:
            self._skip(int(missing * RATE))
        self._add((np.clip(samples, -1.0, 1.0) * 32767).astype(np.int16))

    def windows(self) -> Iterator[Window]:
        """All that was heard, in order, in stretches of at most 5 minutes."""
        start = 0
        while start < self._count:
            end = min(start + WINDOW_S * RATE, self._count)
            if end < self._count:
                end = self._quiet_before(end)
            yield Window((self._begin_s or 0.0) + start / RATE, self._part(start, end))
            start = end

    def _skip(self, count: int) -> None:
        import numpy as np

        while count > 0 and not self.truncated:
            self._add(np.zeros(min(count, _BLOCK), np.int16))
            count -= _BLOCK

    def _add(self, samples: Any) -> None:
        import numpy as np

        left = self._most - self._count
        if len(samples) > left:
            self.truncated = True
            samples = samples[:left]
        while len(samples):
            at = self._count % _BLOCK
            if not at:
                self._blocks.append(np.zeros(_BLOCK, np.int16))
            taken = samples[: _BLOCK - at]
            self._blocks[-1][at : at + len(taken)] = taken
            self._count += len(taken)
            samples = samples[len(taken) :]

    def _part(self, start: int, end: int) -> NDArray[np.float32]:
        import numpy as np

        part = np.empty(end - start, np.float32)
        at = start
        while at < end:
            block, offset = divmod(at, _BLOCK)
            taken = self._blocks[block][offset : offset + end - at]
            part[at - start : at - start + len(taken)] = taken
            at += len(taken)
        part /= 32768
        return part

    def _quiet_before(self, end: int) -> int:
        begin = end - _SEARCH_S * RATE
        sound = self._part(begin, end)
        loud = (sound.reshape(-1, _QUIET) ** 2).mean(axis=1)
        return begin + int(loud.argmin()) * _QUIET + _QUIET // 2
