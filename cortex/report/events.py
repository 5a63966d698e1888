"""`--events`: what goes over the bus of this process, reported as it comes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol, Self

from cortex.engine.telling import Reporter

POLL_S = 0.2
SEQ_WITHIN = 48
"""Numbered events have their number among their first bytes."""


class Piece(Protocol):
    """Frames of one sort: numbered events, or others. Never empty."""

    @property
    def frames(self) -> tuple[bytes, ...]: ...


class Listening(Protocol):
    """A subscription to a bus."""

    def take(self) -> Sequence[Piece]: ...

    def wait(self, timeout: float | None = None) -> bool: ...

    def close(self) -> None: ...


class EventTap:
    """A thread that reports every numbered event of a subscription until it is left, the last one included."""

    def __init__(self, subscription: Listening, reporter: Reporter) -> None:
        self._subscription = subscription
        self._reporter = reporter
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._subscription.close()

    def _run(self) -> None:
        while not self._end.is_set():
            self._subscription.wait(POLL_S)
            self._drain()
        self._drain()

    def _drain(self) -> None:
        while pieces := self._subscription.take():
            numbered = [piece.frames for piece in pieces if b'"seq":' in piece.frames[0][:SEQ_WITHIN]]
            frames = [frame for frames in numbered for frame in frames]
            if frames:
                self._reporter.events(frames)
