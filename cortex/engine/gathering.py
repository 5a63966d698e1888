"""Gathers single things into lists, so that what comes behind may work on many at once."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

from reactivex import Observable, abc
from reactivex.scheduler import EventLoopScheduler

T = TypeVar("T")


class Gathering(Generic[T]):
    """Joins lists until they hold `most` things or the first of them has waited for `seconds` on the scheduler's
    thread. Beside ReactiveX' own buffer, a list may be hurried, and there is no timer for an empty one."""

    def __init__(self, most: int, seconds: float, scheduler: EventLoopScheduler) -> None:
        self._most = most
        self._seconds = seconds
        self._scheduler = scheduler
        self._lock = threading.RLock()
        self._held: list[T] = []
        self._number = 0
        self._hurried = -1
        self._observer: abc.ObserverBase[list[T]] | None = None

    def __call__(self, source: Observable[list[T]]) -> Observable[list[T]]:
        """The operator, to be subscribed to once."""

        def subscribe(
            observer: abc.ObserverBase[list[T]], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            self._observer = observer
            return source.subscribe(self._add, observer.on_error, self._complete, scheduler=scheduler)

        return Observable(subscribe)

    def hurry(self) -> None:
        """Nothing more is to be expected for now: what was gathered goes on once the scheduler's thread is free."""
        with self._lock:
            if self._held and self._hurried != self._number:
                self._hurried = self._number
                self._scheduler.schedule(self._due, self._number)

    def _add(self, some: list[T]) -> None:
        with self._lock:
            is_first = not self._held
            self._held += some
            if not self._held:
                return
            if len(self._held) >= self._most:
                self._hand_on()
            elif is_first:
                self._scheduler.schedule_relative(self._seconds, self._due, self._number)

    def _due(self, _: abc.SchedulerBase, number: int | None = None) -> None:
        with self._lock:
            if number == self._number:
                self._hand_on()

    def _hand_on(self) -> None:
        held, self._held = self._held, []
        self._number += 1
        if held and self._observer is not None:
            self._observer.on_next(held)

    def _complete(self) -> None:
        with self._lock:
            self._hand_on()
            if self._observer is not None:
                self._observer.on_completed()
