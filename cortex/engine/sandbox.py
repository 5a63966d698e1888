"""Worker processes in which untrusted files are opened, as the rest of the engine sees them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple, Self

from cortex.engine.board import IDLE, WAITING, Page
from cortex.engine.headstart import HeadStart
from cortex.engine.records import Item, Setup, Walked
from cortex.engine.supervisor import Answerer, Supervisor
from cortex.engine.workload import Workload
from loom.model import Depth


class Current(NamedTuple):
    """What a worker is at. `lane` and `step` are -1 while no step is at work; `since` is of the monotonic clock."""

    token: int
    lane: int
    step: int
    phase: str
    since: float


def _current(page: Page) -> Current:
    lane, step = (-1, -1) if page.stage == WAITING else (page.lane, page.step)
    return Current(page.token, lane, step, page.phase, page.since)


class Sandbox:
    """Walks files in worker processes, and loses nothing when one of them dies.

    Nothing is started before there is work. `run` belongs to one thread at a time; `requeue`, `wake`, `current`,
    `stop` and `close` may be called from any thread and from a signal handler.
    """

    def __init__(self, setup: Setup, *, jobs: int, head_start: HeadStart | None = None) -> None:
        self._setup = setup
        self._jobs = max(1, jobs)
        self._head_start = head_start
        if head_start is not None:
            head_start.tell(setup)
        self._supervisor: Supervisor | None = None
        self._stopping = False
        self._closed = False
        self._pause: Depth | None = None
        self._concurrency: Mapping[str, int] = {}
        self._lock = threading.RLock()
        self._running_in: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def in_flight(self) -> int:
        """How many files were taken from the source or handed in again and are not yielded yet."""
        return self._supervisor.in_flight if self._supervisor is not None else 0

    def run(self, items: Iterator[Item | None], answer: Answerer) -> Iterator[Walked]:
        """Walks the files that `items` yields and yields what came of them, in the order in which they are done.

        `items` is asked for more only when a worker has room; None from it means that there is nothing at the moment.
        `answer` is asked once for every file that was read, on this thread, and again when a worker died before its
        results came back; a file whose answer says not to walk is not yielded. Ends when `items` is at its end and
        nothing is in flight or queued. Raises the `LoomError` with which workers cannot get ready.
        """
        for results in self.batches(items, answer):
            yield from results

    def batches(self, items: Iterator[Item | None], answer: Answerer) -> Iterator[list[Walked]]:
        """The same, in lists of what came at once; none is empty."""
        results: list[Walked] = []
        try:
            if self._hold():
                supervisor = self._open(items)
            while self._hold():
                if self._stopping:
                    supervisor.work.end()
                supervisor.pause(self._pause)
                supervisor.limit(self._concurrency)
                supervisor.supply()
                self._let_go()
                if results:
                    yield results
                if not self._hold() or (supervisor.work.exhausted and not supervisor.in_flight):
                    return
                is_last = bool(results) and not supervisor.in_flight
                # Whoever took the last result there was may have more work for it at once.
                results = [] if is_last else supervisor.listen(answer)
        finally:
            self._let_go()
            if self._closed:
                self._end()

    def requeue(self, item: Item, delay_s: float = 0.0) -> None:
        """Hands a file in once more while `run` goes on, to be worked on after `delay_s` seconds."""
        supervisor = self._supervisor
        if supervisor is not None:
            supervisor.work.put(item, time.monotonic() + delay_s)
            supervisor.switchboard.wake()

    def wake(self) -> None:
        """Has `run` ask its source again at once."""
        if (supervisor := self._supervisor) is not None:
            supervisor.switchboard.wake()

    def current(self) -> list[Current]:
        """What every busy worker is at."""
        supervisor = self._supervisor
        pages = []
        if supervisor is not None:
            with suppress(ValueError):  # the board was closed meanwhile
                pages = [supervisor.crew.page(hand) for hand in tuple(supervisor.crew.hands) if hand.items]
        return [_current(page) for page in pages if page.stage != IDLE]

    def pause(self, depth: Depth | None) -> None:
        """Stands still as deep as told, or goes on (None). Whether new files are taken is the source's affair. A file
        that stopped before a step is yielded as far as it got; handed in again it waits for the end of the pause."""
        self._pause = depth
        self.wake()

    def limit(self, concurrency: Mapping[str, int]) -> None:
        """How many files may be at a time in the steps of an operator, at a resource, or (`jobs`) in work at all."""
        self._concurrency = concurrency
        self.wake()

    def stop(self) -> None:
        """No new files, and none that wait for their time: those in flight are finished, then `run` ends."""
        self._stopping = True
        self.wake()

    def close(self) -> None:
        """Ends all workers, those at work too, and `run`; what is in flight is lost."""
        self._closed = True
        self.wake()
        if self._running_in != threading.get_ident():
            self._end()

    def _hold(self) -> bool:
        """`run` holds the lock but while its caller works on a result. False when the sandbox was closed."""
        if self._running_in != threading.get_ident():
            self._lock.acquire()
            self._running_in = threading.get_ident()
        return not self._closed

    def _let_go(self) -> None:
        if self._running_in == threading.get_ident():
            self._running_in = None
            self._lock.release()

    def _open(self, items: Iterator[Item | None]) -> Supervisor:
        if self._supervisor is None:
            self._supervisor = Supervisor(self._setup, self._jobs, self._head_start)
        self._supervisor.work = Workload(items)
        return self._supervisor

    def _end(self) -> None:
        with self._lock:
            supervisor, self._supervisor = self._supervisor, None
            if supervisor is not None:
                supervisor.close()
