"""Files that wait for a worker: new ones, ones to be done again, ones whose time has not come."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from itertools import count

from cortex.engine.autopsy import Verdict
from cortex.engine.records import Item

MAX_BATCH_BYTES = 64 * 1024 * 1024
"""Files up to this size are kept in memory while they are in hand, so that together they may not be larger."""


class Workload:
    """Not thread-safe but for `put`, which any thread may call.

    `None` from the source means that it has nothing at the moment, but is not at its end.
    """

    def __init__(self, source: Iterator[Item | None]) -> None:
        self._source = source
        self._waiting: deque[Item] = deque()
        self._suspects: deque[Item] = deque()
        self._posted: deque[tuple[float, Item]] = deque()
        self._delayed: list[tuple[float, int, Item]] = []
        self._order = count()
        self.exhausted = False
        self.source_is_idle = False

    def put(self, item: Item, due: float) -> None:
        """Hands a file in again, to be worked on from `due` on."""
        self._posted.append((due, item))

    def put_back(self, verdicts: list[Verdict]) -> None:
        """Takes files back from a worker that died; they go before all others, in their order."""
        for verdict in reversed(verdicts):
            (self._suspects if verdict.alone else self._waiting).appendleft(verdict.item)

    def gather(self, now: float, room: int) -> None:
        """Makes files wait that are due, and as many of the source as there is room for."""
        while self._posted:
            due, item = self._posted.popleft()
            heapq.heappush(self._delayed, (due, next(self._order), item))
        while self._delayed and self._delayed[0][0] <= now:
            self._waiting.append(heapq.heappop(self._delayed)[2])
        self.source_is_idle = False
        while not self.exhausted and not self.source_is_idle and len(self._waiting) < room:
            try:
                found = next(self._source)
            except StopIteration:
                self.exhausted = True
                return
            if found is None:
                self.source_is_idle = True
            else:
                self._waiting.append(found)

    def end(self) -> None:
        """Nothing more from the source, and nothing that waits for its time."""
        self.exhausted = True
        self._delayed.clear()

    def take_suspect(self) -> Item | None:
        """A file that is to be worked on alone."""
        return self._suspects.popleft() if self._suspects else None

    def take(self, most: int) -> list[Item]:
        """Up to `most` files for one batch; a large one by itself."""
        batch = [self._waiting.popleft()]
        size = _weight(batch[0])
        while self._waiting and len(batch) < most:
            size += _weight(self._waiting[0])
            if size > MAX_BATCH_BYTES:
                break
            batch.append(self._waiting.popleft())
        return batch

    @property
    def waiting(self) -> int:
        """How many could be worked on now, together."""
        return len(self._waiting)

    @property
    def backlog(self) -> int:
        """How many could be worked on now, together or alone."""
        return len(self._waiting) + len(self._suspects)

    @property
    def next_due(self) -> float:
        return self._delayed[0][0] if self._delayed else float("inf")

    def __len__(self) -> int:
        return self.backlog + len(self._posted) + len(self._delayed)


def _weight(item: Item) -> int:
    return item.stat.size + sum(len(one.data) for one in item.handed)
