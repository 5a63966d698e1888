"""Threads for work that may take long, so that nobody else waits for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

Work = Callable[[], None]


class Apart:
    """At most `most` threads, started as they are needed, that take work in the order in which it was given. They are
    daemons: work that hangs keeps the process from nothing."""

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._waiting = 0
        self._closed = False

    def give(self, work: Work) -> None:
        """What the work raises is logged. After `close` nothing is taken."""
        with self._lock:
            if self._closed:
                return
            self._waiting += 1
            self._queue.put(work)
            if self._waiting > len(self._threads) < self._most:
                thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._threads.append(thread)
                thread.start()

    def close(self, *, wait: bool) -> None:
        """What has not begun is not done any more; `wait`: for what has."""
        with self._lock:
            self._closed = True
            self._drop()
            for _ in self._threads:
                self._queue.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _drop(self) -> None:
        try:
            while True:
                self._queue.get_nowait()
        except Empty:
            return

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            try:
                work()
            except BaseException:
                logging.getLogger(__name__).exception("work failed in a thread of its own")
            with self._lock:
                self._waiting -= 1
