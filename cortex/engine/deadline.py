"""Work that may hang, such as a call over the network: nobody waits for it beyond its time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from loom.errors import LoomError

T = TypeVar("T")

_LOOK_S = 0.2


class Lease:
    """The time that work may take: so many `seconds`, anew from each word of its progress."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until = time.monotonic() + seconds

    @property
    def left(self) -> float:
        return self._until - time.monotonic()

    def renew(self, _: float = 0.0) -> None:
        """Takes, and passes over, what part of the work is done."""
        self._until = time.monotonic() + self.seconds


class Deadlines:
    """Does work in threads that are left alone when they take too long, or when `give_up` was called."""

    def __init__(self) -> None:
        self._given_up = threading.Event()

    def give_up(self) -> None:
        """Waits for nothing any more. Takes no lock: it may be called from a signal handler."""
        self._given_up.set()

    def within(self, lease: Lease, work: Callable[[], T]) -> T:
        """What the work gives or raises. Raises `TIMED_OUT` when it takes longer; what it does then is lost."""
        lease.renew()
        task = _Task(work)
        thread = threading.Thread(target=task.run, name="slow step", daemon=True)
        thread.start()
        while thread.is_alive() and (left := lease.left) > 0 and not self._given_up.is_set():
            thread.join(min(left, _LOOK_S))
        if thread.is_alive():
            raise LoomError("TIMED_OUT", f"took longer than the {lease.seconds:.3g} s it may")
        return task.result()


class _Task(Generic[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._given: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._given.append(self._work())
        except BaseException as error:
            self._error = error

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._given[0]
