from uuid import UUID

import pytest

from loom.bus import live
from loom.bus.live import LiveRuns
from loom.events import NodeEvent, Progress, RunEvent, RunHead
from loom.model import AssetCounts, Depth, Pause


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return int(self.now * 1e9)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(live, "time", clock)
    return clock


def seen(count: int) -> Progress:
    return Progress(assets=AssetCounts(seen=count), nodes={})


def test_progress_is_passed_on_four_times_a_second_and_the_newest_is_kept(run, clock):
    runs = LiveRuns()
    passed_on = []
    for tick in range(20):
        passed_on.append(runs.tell(run, seen(tick)))
        clock.now += 0.05
    assert sum(passed_on) == 4
    assert runs.all()[0].progress == seen(19)


def test_runs_are_live_from_their_beginning_to_their_end(run, clock):
    runs = LiveRuns()
    runs.hear(run, [NodeEvent(1, "a", bytes(32), "STARTED")])
    assert runs.all() == []
    runs.hear(run, [RunEvent(5, "STARTED")])
    runs.hear(run, [RunEvent(6, "PAUSED")])
    (one,) = runs.all()
    assert (one.run, one.started, one.paused) == (run, 5, True)
    runs.hear(run, [RunEvent(9, "PARTIAL")])
    assert runs.all() == []
    assert not runs.tell(run, seen(1)), "progress that comes after the end brings no run back"
    assert runs.all() == []


def test_a_run_that_died_silently_is_forgotten(run, clock):
    runs = LiveRuns()
    runs.hear(run, [RunEvent(5, "STARTED")])
    clock.now += live.FORGOTTEN_AFTER_S + 1
    runs.tell(RunHead(UUID(int=9), "videos", True), seen(1))
    assert [one.run.pipeline for one in runs.all()] == ["videos"]


def test_only_so_many_runs_are_remembered(clock):
    runs = LiveRuns()
    for number in range(live.MOST_RUNS + 5):
        runs.hear(RunHead(UUID(int=number), "p", False), [RunEvent(1, "STARTED")])
    assert len(runs.all()) == live.MOST_RUNS


def test_a_run_is_paused_as_long_as_somebody_pauses_it(run, clock):
    runs = LiveRuns()
    one = Pause(owner="disk", reason="", depth=Depth.NEW, since=1)
    runs.hear(run, [RunEvent(4, "QUEUED"), RunEvent(4, "PAUSED", paused=(one,)), RunEvent(4, "RESUMED")])
    assert runs.all() == [], "it waits for a worker"
    runs.hear(run, [RunEvent(5, "STARTED"), RunEvent(6, "RESUMED", paused=(one,))])
    assert runs.all()[0].paused
    runs.hear(run, [RunEvent(6, "RESUMED")])
    assert not runs.all()[0].paused
    runs.hear(run, [RunEvent(7, "QUEUED")])
    assert runs.all() == [], "it was given back"
    runs.hear(run, [RunEvent(8, "STARTED")])
    assert len(runs.all()) == 1


def test_a_worker_that_goes_on_with_a_run_begins_to_count_anew(run, clock):
    runs = LiveRuns()
    runs.tell(run, seen(7))
    runs.hear(run, [RunEvent(5, "STARTED")])
    (one,) = runs.all()
    assert one.progress is None
    assert list(runs.newer(0)) == [], "there is nothing to pass on"
    clock.now += 1
    assert runs.tell(run, seen(1))
    assert [runs.json(one)[:1] for one in runs.newer(0)] == [b"{"]
