"""Whole runs with a clock that is only counted: what is told of the time left, against the time that was left."""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from ingests import SHA256, THUMBNAIL, definition

from cortex.catalogue import load
from cortex.engine.costs import KINDS, Amount, Costs
from cortex.engine.outlook import Ahead, AtWork, Outlook
from cortex.engine.scheme import Chosen, make_scheme
from loom.model import Kind
from loom.shapes import KindCost

IMAGE, VIDEO, TEXT = (KINDS.index(kind) for kind in (Kind.IMAGE, Kind.VIDEO, Kind.TEXT))
MB, GB = 1 << 20, 1 << 30
TICK = 0.1
SCHEME = make_scheme([Chosen(definition("some", SHA256, THUMBNAIL), 0, False)], load(), dry_run=True)
PLANS = [lane.plan for lane in SCHEME.lanes]


@dataclass(frozen=True)
class File:
    kind: int
    size: int
    nodes: float
    reading: float = 0.0


def photos(count: int, nodes: float = 0.05) -> list[File]:
    """Some of them take twice as long as others."""
    chance = random.Random(count)
    return [File(IMAGE, int(3 * MB * (f := chance.uniform(0.6, 1.4))), nodes * f, 0.002) for _ in range(count)]


@dataclass
class Told:
    at: float
    left: float | None
    fraction: float | None


@dataclass
class Run:
    """A run of some files by some workers, which the parent settles every quarter of a second; `beyond` is what it
    needs for each file besides. Files are known beforehand, unless `seen` says how many are at a time."""

    files: Sequence[File]
    jobs: int = 2
    beyond: float = 0.0
    costs: Costs = field(default_factory=lambda: Costs(PLANS))
    known: Callable[[float], int] | None = None
    paused: Callable[[float], bool] = lambda _: False
    read_limit: int = 0

    def tell(self) -> tuple[list[Told], float]:
        """What was told at every tick, and when the run ended."""
        ends = self._ends()
        outlook = Outlook(self.costs, jobs=self.jobs, read_limit=self.read_limit)
        told, now, found = [], 0.0, Amount()
        waiting, in_hand = deque(range(len(self.files))), list[int]()
        while waiting or in_hand:
            now += TICK
            while waiting and ends[waiting[0]][0] < now:
                in_hand.append(waiting.popleft())
            for index in [index for index in in_hand if ends[index][1] <= now - now % 0.25]:
                one = self.files[index]
                self.costs.add(one.kind, one.size, one.reading, one.nodes)
                in_hand.remove(index)
            for one in self.files[sum(found.files) : self.known(now) if self.known else None]:
                found.add(one.kind, one.size)
            at_work = [self._at_work(index, now, *ends[index]) for index in in_hand]
            outlook.look(now, Ahead(found, None, 0, 0), at_work, stands_still=self.paused(now), is_settled=True)
            told.append(Told(now, outlook.seconds_left, outlook.fraction))
        return told, max(end for _, end in ends)

    def _at_work(self, index: int, now: float, begun: float, end: float) -> AtWork:
        file = self.files[index]
        return AtWork(file.kind, file.size, min(now, end) - begun, is_over=now >= end)

    def _ends(self) -> list[tuple[float, float]]:
        free, parent, ends = [0.0] * self.jobs, 0.0, []
        for one in self.files:
            parent = begun = self._resumed(max(heapq.heappop(free), parent + self.beyond))
            heapq.heappush(free, begun + one.reading + one.nodes)
            ends.append((begun, begun + one.reading + one.nodes))
        return ends

    def _resumed(self, at: float) -> float:
        while self.paused(at):
            at += TICK
        return at


def check(told: list[Told], end: float, within: float, *, after: float = 0.0, until: float = math.inf) -> None:
    """That from a time on all that was told was true `within` a part, or a second or so where little is left."""
    assert any(one.left is not None for one in told)
    for one in told:
        if one.left is None or one.at < after or one.at > min(end, until):
            continue
        assert math.isfinite(one.left)
        assert one.left >= 0
        true = end - one.at
        assert abs(one.left - true) <= max(within * true, 1.5), (one.at, one.left, true)


def check_progress(told: list[Told]) -> None:
    fractions = [one.fraction for one in told if one.fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def check_smooth(told: list[Told], most: float = 0.12) -> None:
    """No tick moves what is told by more than a part of it, beyond the time that passed."""
    for before, after in zip(told, told[1:], strict=False):
        if before.left is not None and after.left is not None:
            assert abs(after.left - (before.left - TICK)) <= max(most * before.left, 0.3), (before, after)


def test_files_that_are_all_alike() -> None:
    told, end = Run(photos(1000)).tell()
    check(told, end, 0.15)
    check_progress(told)
    check_smooth(told)
    assert next(one.at for one in told if one.left is not None) < 3


def test_the_first_seconds_tell_nothing() -> None:
    told, _ = Run(photos(1000)).tell()
    assert all(one.left is None for one in told if one.at < 2)
    short, _ = Run(photos(40)).tell()
    assert all(one.left is None for one in short)


VIDEOS = [File(VIDEO, 400 * MB, 8.0, 0.4)] * 10


def test_slow_files_at_the_end_are_known_by_what_earlier_runs_measured() -> None:
    run = Run([*photos(1000), *VIDEOS])
    run.costs.learn([KindCost(kind=Kind.VIDEO, assets=30, seconds=6.0, bytes=300 * MB)])
    told, end = run.tell()
    check(told, end, 0.35)
    check_progress(told)
    check_smooth(told)


def test_slow_files_at_the_end_are_expected_even_if_none_was_ever_measured() -> None:
    """Ten videos are never taken for ten photos; once some were measured the estimate is good."""
    files = [*photos(1000), *VIDEOS]
    told, end = Run(files).tell()
    begun = 1000 * 0.052 / 2
    for one in told:
        if one.left is not None and one.at < begun:
            assert one.left > (begun - one.at) * 0.8 + 1
    check(told, end, 0.35, after=begun + 15)
    check_progress(told)


def test_a_file_in_hand_that_takes_longer_tells_of_others_of_its_kind() -> None:
    """A disk that is slow today, so that what earlier runs measured is wrong."""
    run = Run([File(VIDEO, 400 * MB, 8.0, 0.4)] * 40)
    run.costs.learn([KindCost(kind=Kind.VIDEO, assets=30, seconds=1.0, bytes=400 * MB)])
    told, end = run.tell()
    check(told, end, 0.4, after=10)
    check([one for one in told if one.at > 30], end, 0.25)


def test_slow_files_at_the_beginning() -> None:
    told, end = Run([*VIDEOS, *photos(1000)]).tell()
    check(told, end, 0.35, after=25)
    check_progress(told)


def test_one_huge_file_after_a_thousand_photos_is_never_a_matter_of_seconds() -> None:
    """4 GB that are read and hashed by one worker, while the other has nothing to do."""
    huge = File(VIDEO, 4 * GB, 12.0, 4.0)
    told, end = Run([*photos(1000), huge]).tell()
    last = 1000 * 0.052 / 2
    for one in told:
        if one.left is not None and one.at < last:
            assert one.left > 6
    check(told, end, 0.65, until=last)
    check_progress(told)


def test_larger_files_of_a_kind_take_longer() -> None:
    small = [File(IMAGE, size * MB, 0.02 * size, 0.001) for _ in range(200) for size in (1, 2, 3)]
    large = [File(IMAGE, 40 * MB, 0.8, 0.02)] * 30
    told, end = Run([*small, *large]).tell()
    check(told, end, 0.25, after=5)


def test_half_of_them_stored() -> None:
    chance = random.Random(5)
    files = [one if chance.random() < 0.5 else File(IMAGE, one.size, 0.0, 0.002) for one in photos(2000)]
    told, end = Run(files).tell()
    check(told, end, 0.25)
    check_progress(told)


def test_when_stored_ones_are_over_the_estimate_follows() -> None:
    stored = [File(IMAGE, 3 * MB, 0.0, 0.004)] * 3000
    told, end = Run([*stored, *photos(1000)]).tell()
    check(told, end, 0.3, after=6 + 12)
    check_progress(told)


def test_small_files_that_wait_for_the_parent_tell_nothing_of_how_workers_share_large_ones() -> None:
    texts = [File(TEXT, 2000, 0.0005)] * 4000
    run = Run([*texts, *VIDEOS], beyond=0.004)
    run.costs.learn([KindCost(kind=Kind.VIDEO, assets=30, seconds=8.0, bytes=400 * MB)])
    told, end = run.tell()
    check(told, end, 0.3)


def test_a_file_that_hangs_tells_nothing_of_others() -> None:
    files = photos(2000)
    files[300] = File(IMAGE, 3 * MB, 60.0, 0.002)
    told, end = Run(files, jobs=4).tell()
    busy = 2000 * 0.052 / 4 + 60 / 4
    for one in told:
        if one.left is not None and one.at < 20:
            assert one.left < 1.6 * busy
    check_progress(told)
    assert all(one.left is None or one.left < 30 for one in told if one.at > end - 20)


def test_files_that_are_tried_again_cost_all_their_tries() -> None:
    chance = random.Random(7)
    files = [one if chance.random() < 0.9 else File(IMAGE, one.size, one.nodes + 0.4, 0.002) for one in photos(1500)]
    told, end = Run(files).tell()
    check(told, end, 0.3, after=8)


def test_more_files_that_come_meanwhile_never_move_the_progress_back() -> None:
    run = Run(photos(1500), known=lambda now: min(500 + int(now * 60), 1500))
    told, end = run.tell()
    check_progress(told)
    check_smooth(told)
    check(told, end, 0.25, after=22)


def test_nothing_is_told_while_it_is_paused_and_the_pause_counts_for_nothing() -> None:
    run = Run(photos(1000), paused=lambda now: 5 <= now < 65)
    told, end = run.tell()
    assert all(one.left is None for one in told if 5.05 < one.at < 65)
    check([one for one in told if one.at > 65], end, 0.15)
    check_progress(told)


def test_reading_is_never_faster_than_it_may_be() -> None:
    outlook = Outlook(costs := Costs(PLANS), jobs=2, read_limit=MB)
    found = Amount()
    for _ in range(100):
        found.add(IMAGE, 3 * MB)
    for second in range(20):
        costs.add(IMAGE, 3 * MB, 0.001, 0.01)
        outlook.look(second * 3.0, Ahead(found, None, 0, 0), [], stands_still=False, is_settled=True)
    assert outlook.seconds_left is not None
    assert outlook.seconds_left == pytest.approx(240, abs=10)


def test_what_is_unseen_is_taken_to_need_work_and_what_turned_out_to_need_none_is_not() -> None:
    costs, total, found = Costs(PLANS), Amount(), Amount()
    for _ in range(100):
        total.add(IMAGE, 1000)
    outlook = Outlook(costs, jobs=1)
    seen: list[float] = []
    for unchanged in range(0, 90, 10):
        found.add(IMAGE, 1000)
        costs.add(IMAGE, 1000, 0.0, 0.01)
        unseen = 100 - unchanged - sum(found.files)
        outlook.look(len(seen), Ahead(found, total, unseen, unseen * 1000), [], stands_still=False, is_settled=True)
        assert outlook.fraction is not None
        seen.append(outlook.fraction)
    assert seen[0] == pytest.approx(0.01)
    assert seen[-1] == pytest.approx(9 / 20)
    assert seen == sorted(seen)


def test_nothing_is_told_before_anybody_knows_how_much_there_is() -> None:
    outlook = Outlook(Costs(PLANS), jobs=1)
    for second in range(30):
        outlook.look(second, None, [AtWork(IMAGE, 10, 0.1)], stands_still=False, is_settled=False)
    assert (outlook.fraction, outlook.seconds_left) == (None, None)
    outlook.look(31, Ahead(Amount(), None, 0, 0), [], stands_still=False, is_settled=True)
    assert outlook.fraction is None, "nothing that needs work is no progress"
