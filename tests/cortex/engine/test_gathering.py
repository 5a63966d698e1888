from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from reactivex.scheduler import EventLoopScheduler, VirtualTimeScheduler
from reactivex.subject import Subject

from cortex.engine.gathering import Gathering


class Gathered:
    """What comes out of a gathering of at most three, none of which waits longer than five seconds."""

    def __init__(self, scheduler: Any, *, seconds: float = 5.0) -> None:
        self.lists: list[list[int]] = []
        self.end: list[Any] = []
        self.source: Subject[list[int]] = Subject()
        self.gathering: Gathering[int] = Gathering(3, seconds, scheduler)
        self.gathering(self.source).subscribe(self.lists.append, self.end.append, lambda: self.end.append("completed"))

    def tell(self, *numbers: int) -> None:
        for number in numbers:
            self.source.on_next([number])


@pytest.fixture
def clock() -> VirtualTimeScheduler:
    """A scheduler of which the time moves only when it is told to."""
    return VirtualTimeScheduler()


@pytest.fixture
def gathered(clock: VirtualTimeScheduler) -> Gathered:
    return Gathered(clock)


@pytest.fixture
def busy() -> Iterator[tuple[Gathered, Callable[[], None]]]:
    """A gathering on a real thread that is at work until it is let go; that waits until the thread is free again."""
    scheduler = EventLoopScheduler()
    begun, free, idle = threading.Event(), threading.Event(), threading.Event()

    def work(*_: Any) -> None:
        begun.set()
        free.wait(20)

    scheduler.schedule(work)
    assert begun.wait(20)

    def let_go() -> None:
        scheduler.schedule(lambda *_: idle.set())
        free.set()
        assert idle.wait(20)

    yield Gathered(scheduler, seconds=60.0), let_go
    free.set()
    scheduler.dispose()


def test_a_list_that_is_full_goes_on_at_once(gathered: Gathered) -> None:
    gathered.tell(1, 2, 3, 4, 5, 6, 7)
    assert gathered.lists == [[1, 2, 3], [4, 5, 6]]


def test_lists_are_not_taken_apart(gathered: Gathered) -> None:
    gathered.tell(1)
    gathered.source.on_next([2, 3, 4, 5])
    assert gathered.lists == [[1, 2, 3, 4, 5]]


def test_nothing_waits_longer_than_the_time(gathered: Gathered, clock: VirtualTimeScheduler) -> None:
    gathered.tell(1)
    clock.advance_by(3.0)
    gathered.tell(2)
    clock.advance_by(1.9)
    assert gathered.lists == []
    clock.advance_by(0.2)
    assert gathered.lists == [[1, 2]]
    clock.advance_by(60.0)
    assert gathered.lists == [[1, 2]], "there is no list of nothing"


def test_the_time_begins_with_the_first_of_each_list(gathered: Gathered, clock: VirtualTimeScheduler) -> None:
    gathered.tell(1)
    clock.advance_by(4.0)
    gathered.tell(2, 3, 4)
    clock.advance_by(4.0)
    assert gathered.lists == [[1, 2, 3]], "the time of a list that has gone on means no other"
    clock.advance_by(1.1)
    assert gathered.lists == [[1, 2, 3], [4]]


def test_hurried_it_hands_on_at_once(gathered: Gathered, clock: VirtualTimeScheduler) -> None:
    gathered.gathering.hurry()
    clock.advance_by(0.01)
    assert gathered.lists == []
    gathered.tell(1)
    gathered.gathering.hurry()
    clock.advance_by(0.01)
    assert gathered.lists == [[1]]
    gathered.tell(2)
    clock.advance_by(0.01)
    assert gathered.lists == [[1]], "a hurry means what was there"


def test_what_comes_while_the_thread_is_busy_joins_what_was_hurried(
    busy: tuple[Gathered, Callable[[], None]],
) -> None:
    gathered, let_go = busy
    gathered.tell(1)
    gathered.gathering.hurry()
    gathered.tell(2)
    gathered.gathering.hurry()
    assert gathered.lists == []
    let_go()
    assert gathered.lists == [[1, 2]]


def test_a_hurry_does_not_reach_the_list_after_one_that_became_full(
    busy: tuple[Gathered, Callable[[], None]],
) -> None:
    gathered, let_go = busy
    gathered.tell(1)
    gathered.gathering.hurry()
    gathered.tell(2, 3, 4)
    let_go()
    assert gathered.lists == [[1, 2, 3]]


def test_the_end_hands_on_the_rest(gathered: Gathered, clock: VirtualTimeScheduler) -> None:
    gathered.tell(1, 2, 3, 4)
    gathered.source.on_completed()
    assert (gathered.lists, gathered.end) == ([[1, 2, 3], [4]], ["completed"])
    clock.advance_by(60.0)
    assert gathered.lists == [[1, 2, 3], [4]]


def test_an_error_passes_through_and_what_was_held_is_not_told(gathered: Gathered) -> None:
    error = ValueError("broken")
    gathered.tell(1)
    gathered.source.on_error(error)
    assert (gathered.lists, gathered.end) == ([], [error])
