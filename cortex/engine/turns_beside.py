"""Takes turns among the steps beside the worker processes, where only so many may be at work at a time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping

Names = tuple[str, ...]


class TurnsBeside:
    """Safe for threads. A step counts for each of its names, whether or not they have a limit at the moment. Who waits
    longest gets the turn first, but those whose names are free do not wait for those whose names are not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limits: Mapping[str, int] = {}
        self._taken: Counter[str] = Counter()
        self._waiting: list[tuple[Names, Callable[[], None]]] = []

    def limit(self, limits: Mapping[str, int]) -> None:
        """How many may be at work at a time, by name; holds for those that begin from now on."""
        with self._lock:
            self._limits = limits
            called = self._next()
        for call in called:
            call()

    def take(self, names: Names) -> bool:
        """Takes the turn if it is to be had now."""
        with self._lock:
            return self._take(names)

    def wait(self, names: Names, call: Callable[[], None]) -> None:
        """Takes the turn as soon as it is to be had, and calls then."""
        with self._lock:
            self._waiting.append((names, call))
            called = self._next()
        for one in called:
            one()

    def give(self, names: Names) -> None:
        """Gives the turn to whoever waits for it."""
        with self._lock:
            self._taken.subtract(names)
            called = self._next() if self._waiting else []
        for call in called:
            call()

    def _take(self, names: Names) -> bool:
        if any(self._taken[name] >= self._limits[name] for name in names if name in self._limits):
            return False
        self._taken.update(names)
        return True

    def _next(self) -> list[Callable[[], None]]:
        """Takes the turn for all whose it is by now."""
        waiting, self._waiting = self._waiting, []
        called: list[Callable[[], None]] = []
        for names, call in waiting:
            if self._take(names):
                called.append(call)
            else:
                self._waiting.append((names, call))
        return called
