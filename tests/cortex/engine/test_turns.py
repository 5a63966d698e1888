import os
import resource
import struct
import threading
import time
from collections.abc import Iterator

import pytest
from programs import until

from cortex.engine.board import IDLE, WAITING, WALKING, Board, BoardSlot
from cortex.engine.concurrency import Limited
from cortex.engine.turns import Turns, numbers

LIMITED = (Limited("first", frozenset({(0, 0)})), Limited("gpu", frozenset({(0, 0), (0, 1)})))
"""The first step of lane 0 is of `first`, and like the second it needs the `gpu`; the third is free."""


class Crew:
    """Workers in this process, each with a page of the same board."""

    def __init__(self, size: int) -> None:
        self.board = Board(size)
        self.slots = [BoardSlot(self.board.fd, slot, base_s=30.0, cpus=2.0) for slot in range(size)]
        self.turns = [Turns(slot, LIMITED) for slot in self.slots]

    def limit(self, **limits: int) -> None:
        self.board.limit(numbers(limits, LIMITED))

    def comes(self, worker: int, step: int) -> float:
        """A worker comes to a step, as the walker does; returns when."""
        self.slots[worker].take(worker, WALKING)
        self.slots[worker].enter(worker, 0, step, "", 1000.0)
        return time.monotonic()

    def begins(self, worker: int, step: int, since: float) -> bool:
        """Whether it may begin with it, waiting since then."""
        return self.turns[worker].begin(0, step, since)

    def stages(self) -> list[int]:
        return [self.board.read(slot).stage for slot in range(len(self.slots))]


@pytest.fixture
def crew() -> Iterator[Crew]:
    processor_time = resource.getrlimit(resource.RLIMIT_CPU)
    crew = Crew(3)
    yield crew
    for slot in crew.slots:
        slot.close()
    crew.board.close()
    resource.setrlimit(resource.RLIMIT_CPU, processor_time)


def test_who_waits_longest_is_first(crew: Crew) -> None:
    crew.limit(first=1)
    times = [crew.comes(0, 0)]
    assert crew.begins(0, 0, times[0])
    for worker in (1, 2):
        times.append(crew.comes(worker, 0))
        assert not crew.begins(worker, 0, times[worker])
    crew.slots[0].leave()
    assert not crew.begins(2, 0, times[2])
    assert crew.begins(1, 0, times[1])
    assert crew.stages() == [WALKING, WALKING, WAITING]


def test_who_waits_at_one_name_keeps_nobody_from_another(crew: Crew) -> None:
    crew.limit(first=1, gpu=2)
    assert crew.begins(0, 0, crew.comes(0, 0))
    assert not crew.begins(1, 0, crew.comes(1, 0))
    assert crew.begins(2, 1, crew.comes(2, 1)), "the second place at the gpu is free"


def test_steps_of_different_operators_count_for_what_they_share(crew: Crew) -> None:
    crew.limit(gpu=1)
    assert crew.begins(0, 0, crew.comes(0, 0))
    assert not crew.begins(1, 1, crew.comes(1, 1))
    assert crew.begins(2, 2, crew.comes(2, 2))


def test_a_step_that_began_without_a_limit_counts_as_soon_as_there_is_one(crew: Crew) -> None:
    crew.comes(0, 0)
    crew.comes(1, 0)
    assert not crew.slots[1].limited
    crew.limit(first=2)
    since = crew.comes(2, 0)
    assert not crew.begins(2, 0, since)
    crew.slots[0].rest()
    assert crew.begins(2, 0, since)


def test_a_limit_that_is_lowered_waits_for_those_in_hand(crew: Crew) -> None:
    crew.limit(first=2)
    assert crew.begins(0, 0, crew.comes(0, 0))
    assert crew.begins(1, 0, crew.comes(1, 0))
    crew.limit(first=1)
    since = crew.comes(2, 0)
    crew.slots[0].rest()
    assert not crew.begins(2, 0, since)
    crew.limit()
    assert crew.begins(2, 0, since)
    assert crew.stages() == [IDLE, WALKING, WALKING]


def test_a_page_that_is_cleared_leaves_its_turn(crew: Crew) -> None:
    crew.limit(first=1)
    assert crew.begins(0, 0, crew.comes(0, 0))
    since = crew.comes(1, 0)
    assert not crew.begins(1, 0, since)
    crew.board.clear(0)
    assert crew.begins(1, 0, since)


def test_a_page_that_nobody_clears_leaves_its_turn_when_its_time_is_long_over(crew: Crew) -> None:
    crew.limit(first=1)
    assert crew.begins(0, 0, crew.comes(0, 0))
    since = crew.comes(1, 0)
    assert not crew.begins(1, 0, since)
    os.pwrite(crew.board.fd, struct.pack("d", time.monotonic() - 11), 24)  # the deadline
    assert crew.begins(1, 0, since)


def test_who_waits_has_a_deadline_that_moves_and_begins_with_the_whole_time(crew: Crew) -> None:
    crew.limit(first=1)
    assert crew.begins(0, 0, crew.comes(0, 0))
    since = crew.comes(1, 0)
    assert not crew.begins(1, 0, since)
    first = crew.board.read(1)
    assert not crew.begins(1, 0, since)
    second = crew.board.read(1)
    assert first.since == second.since == since
    assert first.deadline > since + 30
    assert second.deadline > first.deadline
    assert (second.token, second.lane, second.step, second.waits_for) == (1, 0, 0, 2)
    crew.slots[0].rest()
    assert crew.begins(1, 0, since)
    begun = crew.board.read(1)
    assert begun.since > since
    assert begun.deadline == pytest.approx(begun.since + 1000)
    assert (begun.token, begun.step, begun.stage, begun.waits_for) == (1, 0, WALKING, 0)


def test_who_waits_ends_that_when_it_is_to_halt(crew: Crew) -> None:
    crew.limit(first=1)
    assert crew.begins(0, 0, crew.comes(0, 0))
    crew.comes(1, 0)
    threading.Timer(0.05, crew.board.halt, (True,)).start()
    assert not crew.turns[1].take_step(0, 0)


def test_files_in_hand_are_counted_for_jobs(crew: Crew) -> None:
    crew.limit(jobs=1)
    crew.turns[0].take_file(0, WALKING)
    crew.turns[0].take_file(10, WALKING)  # who has a file may have the next one
    taken = threading.Event()

    def take() -> None:
        crew.turns[1].take_file(1, WALKING)
        taken.set()

    threading.Thread(target=take).start()
    until(lambda: crew.stages()[1] == WAITING)
    assert not taken.is_set()
    crew.slots[0].rest()
    assert taken.wait(30)
    assert crew.stages() == [IDLE, WALKING, IDLE]
