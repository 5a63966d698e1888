"""Connections that threads take in turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from loom.errors import LoomError

C = TypeVar("C")


class Pool(Generic[C]):
    """At most `most` at a time, and fewer where the server allows no more: who finds none waits for another's. One in
    whose use something failed is left, with those that nobody uses, for they may be as stale."""

    def __init__(self, enter: Callable[[], C], leave: Callable[[C], None], most: int) -> None:
        self._enter = enter
        self._leave = leave
        self._most = most
        self._idle: list[C] = []
        self._used: list[C] = []
        self._entering = 0
        self._is_closed = False
        self._changed = threading.Condition()

    @contextmanager
    def line(self) -> Iterator[C]:
        """Raises what `enter` does where nobody has one, `READ_FAILED` once it is closed."""
        mine = self._take()
        try:
            yield mine
        except BaseException:
            self._drop(mine)
            raise
        with self._changed:
            self._used.remove(mine)
            if self._is_closed:
                self._leave(mine)
            else:
                self._idle.append(mine)
            self._changed.notify()

    def close(self) -> None:
        """Those in use break off."""
        with self._changed:
            self._is_closed = True
            for one in (*self._idle, *self._used):
                self._leave(one)
            self._idle = []
            self._changed.notify_all()

    def _take(self) -> C:
        while True:
            with self._changed:
                self._changed.wait_for(self._may_go_on)
                if self._is_closed:
                    raise LoomError("READ_FAILED", "the ingest ends")
                if self._idle:
                    mine = self._idle.pop()
                    self._used.append(mine)
                    return mine
                self._entering += 1
            if (entered := self._entered()) is not None:
                return entered

    def _may_go_on(self) -> bool:
        return self._is_closed or bool(self._idle) or len(self._used) + self._entering < self._most

    def _entered(self) -> C | None:
        """None when the server lets no more in than there are."""
        try:
            mine = self._enter()
        except Exception:
            with self._changed:
                self._entering -= 1
                if not self._used:
                    self._changed.notify_all()
                    raise
                self._most = len(self._used)
            return None
        with self._changed:
            self._entering -= 1
            self._used.append(mine)
        return mine

    def _drop(self, mine: C) -> None:
        with self._changed:
            self._used.remove(mine)
            for one in (mine, *self._idle):
                self._leave(one)
            self._idle = []
            self._changed.notify_all()
