"""How far a run is, and how long it still takes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection
from typing import NamedTuple

from cortex.engine.costs import KINDS, Amount, Costs, Price

_FORGETS_S = 60.0
"""After so long at work, what was measured of the pace counts half."""

_LONGER = 0.1
"""A file that takes longer than was expected is expected to take so much of that longer again."""

_OVERHEAD_S, _OVERHEAD_WEIGHT = 0.0003, 20.0
_FEWER_S, _LONG_S = 10.0, 0.1
_WORTH_AFTER_S, _WORTH_AFTER_FILES = 2.0, 10
_SURELY_AFTER_S = 5.0
_RATE_OVER_S, _RATE_AFTER_S = 10.0, 1.0
_SMOOTHING, _LEAST_SMOOTHING_S, _MOST_SMOOTHING_S = 0.1, 0.3, 5.0
"""A change of the estimate is told over a tenth of the time that is left, within bounds."""


class AtWork(NamedTuple):
    """A file that a worker has in hand, or had until it was through with it (`is_over`), which only remains to be
    stored: its kind (a number in `KINDS`), and for how many seconds."""

    kind: int
    size: int
    seconds: float
    is_over: bool = False


class Ahead(NamedTuple):
    """What is to be done, by kind: files that were found to need work, and (None while nobody knows) all others that
    may. Of the latter `unseen` will be looked at; the rest has turned out to need none. `unseen_bytes` likewise."""

    found: Amount
    others: Amount | None
    unseen: int
    unseen_bytes: int


class Left(NamedTuple):
    """Files and bytes that are left, by kind."""

    files: list[float]
    bytes: list[float]


class Outlook:
    """To be asked again and again, with a clock that never goes back.

    The time left is the work left, as `Costs` know it, shared out over the workers that were busy lately. What takes
    time beyond the work of the workers counts for each file alike. As long as few files of a kind were measured, one
    in hand that takes longer than was expected tells that others will too. It is never less than one worker needs for a
    single file, nor than reading takes at `read_limit` bytes a second (0: any number).
    """

    def __init__(self, costs: Costs, *, jobs: int, read_limit: int = 0) -> None:
        self._costs = costs
        self._jobs = jobs
        self._read_limit = read_limit
        self._busy = float(jobs)
        self._last: float | None = None
        self._active = 0.0
        self._before = (0.0, 0.0, 0)
        self._pace = (0.0, 0.0, 0.0)
        self.fraction: float | None = None
        """How much of what needs work is done, by files and bytes alike, 0 to 1; it never moves back."""
        self.seconds_left: float | None = None
        """None while there is nothing to tell it from, and while the run stands still."""
        self.rate: float | None = None
        """Files that were worked on, a second, over the last ten."""
        self._points: deque[tuple[float, int]] = deque()

    def look(
        self, now: float, ahead: Ahead | None, at_work: Collection[AtWork], *, stands_still: bool, is_settled: bool
    ) -> None:
        """`ahead` is None while nobody knows how much there is; `stands_still`: no more files are begun with;
        `is_settled`: the source was looked at as far as can be, so that it will not turn out soon that most of it
        needs no work."""
        passed = 0.0 if self._last is None else max(now - self._last, 0.0)
        self._last = now
        left = None if ahead is None else self._left(ahead)
        if left is not None:
            self._tell_fraction(left)
        done = sum(self._costs.done.files)
        self._tell_rate(now, done)
        if stands_still:
            self.seconds_left = None
            return
        if at_work or (done and left is not None and any(left.files)):
            self._active += passed
            self._measure(passed, done, at_work)
        if left is None or not (self.seconds_left is not None or self._is_worth_telling(done, is_settled)):
            self.seconds_left = None
            return
        self._smooth(self._estimate(left, at_work), passed)

    def _left(self, ahead: Ahead) -> Left:
        """Of files that were not seen yet all are taken to need work."""
        done, found = self._costs.done, ahead.found
        files = [float(max(all_ - some, 0)) for all_, some in zip(found.files, done.files, strict=True)]
        size = [float(max(all_ - some, 0)) for all_, some in zip(found.bytes, done.bytes, strict=True)]
        if ahead.others is None:
            return Left(files, size)
        for kind, more in enumerate(_shared(ahead.others.files, found.files, ahead.unseen)):
            files[kind] += more
        for kind, more in enumerate(_shared(ahead.others.bytes, found.bytes, ahead.unseen_bytes)):
            size[kind] += more
        return Left(files, size)

    def _tell_fraction(self, left: Left) -> None:
        files = _part(sum(self._costs.done.files), sum(left.files))
        size = _part(sum(self._costs.done.bytes), sum(left.bytes))
        if files is not None:
            self.fraction = max(self.fraction or 0.0, files if size is None else (files + size) / 2)

    def _tell_rate(self, now: float, done: int) -> None:
        points = self._points
        if done or points:
            points.append((now, done))
        while points and now - points[0][0] > _RATE_OVER_S:
            points.popleft()
        known = len(points) > 1 and now - points[0][0] >= _RATE_AFTER_S
        self.rate = (done - points[0][1]) / (now - points[0][0]) if known else None

    def _measure(self, passed: float, done: int, at_work: Collection[AtWork]) -> None:
        """How many workers are busy, and what time, work and files went together. Of workers that only have files in
        hand that are done at once it tells nothing how many are seen busy: they may wait for the parent."""
        if any(one.seconds > _LONG_S for one in at_work):
            busy = float(sum(not one.is_over for one in at_work))
            self._busy += (busy - self._busy) * (0.3 if busy > self._busy else 1 - math.exp(-passed / _FEWER_S))
        active, work, files = self._before
        if done == files:
            return
        worked = self._costs.seconds + sum(one.seconds for one in at_work)
        fades = 0.5 ** ((self._active - active) / _FORGETS_S)
        news = (self._active - active, max(worked - work, 0.0), done - files)
        time, effort, number = self._pace
        self._pace = (time * fades + news[0], effort * fades + news[1], number * fades + news[2])
        self._before = (self._active, worked, done)

    def _is_worth_telling(self, done: int, is_settled: bool) -> bool:
        if not done or not (is_settled or self._active >= _SURELY_AFTER_S):
            return False
        return self._active >= (_WORTH_AFTER_S if done >= _WORTH_AFTER_FILES else _SURELY_AFTER_S)

    def _estimate(self, left: Left, at_work: Collection[AtWork]) -> float:
        prices = self._costs.prices()
        files, size = list(left.files), list(left.bytes)
        begun = []
        late = [1.0] * len(KINDS)
        for one in at_work:
            price = prices[one.kind].of(1, one.size)
            if not one.is_over:
                begun.append(max(price - one.seconds, _LONGER * one.seconds))
            if not self._costs.is_known(one.kind):
                late[one.kind] = max(late[one.kind], one.seconds / price)
            files[one.kind] = max(files[one.kind] - 1, 0.0)
            size[one.kind] = max(size[one.kind] - one.size, 0.0)
        waiting = sum(files)
        prices = [Price(one.fixed * more, one.per_byte * more) for one, more in zip(prices, late, strict=True)]
        work = sum(map(Price.of, prices, files, size))
        longest = max([0.0, *begun, *map(_one, prices, files, size)])
        share, overhead = self._workers()
        share = max(min(share, waiting + len(begun)), 1.0)
        reading = sum(size) / self._read_limit if self._read_limit else 0.0
        return max(waiting * overhead + (work + sum(begun)) / share, longest, reading)

    def _workers(self) -> tuple[float, float]:
        """How many share the work, and the seconds that a file takes beyond it."""
        time, work, files = self._pace
        share = max(self._busy, 1.0)
        if time:
            share = max(share, work / time)
        beyond = max(time - work / share, 0.0)
        return share, (beyond + _OVERHEAD_S * _OVERHEAD_WEIGHT) / (files + _OVERHEAD_WEIGHT)

    def _smooth(self, estimate: float, passed: float) -> None:
        if self.seconds_left is None:
            self.seconds_left = estimate
            return
        expected = max(self.seconds_left - passed, 0.0)
        within = min(max(_SMOOTHING * estimate, _LEAST_SMOOTHING_S), _MOST_SMOOTHING_S)
        self.seconds_left = expected + (estimate - expected) * (1 - math.exp(-passed / within))


def _shared(whole: list[int], found: list[int], unseen: int) -> list[float]:
    """What is unseen, shared out over the kinds by what is not known to need work."""
    rest = [max(all_ - some, 0) for all_, some in zip(whole, found, strict=True)]
    total = sum(rest)
    return [one * min(max(unseen / total, 0.0), 1.0) if total else 0.0 for one in rest]


def _part(done: float, left: float) -> float | None:
    return done / (done + left) if done + left > 0 else None


def _one(price: Price, files: float, size: float) -> float:
    """Of a file as most of these are."""
    return price.of(1, size / files) if files >= 1 else 0.0
