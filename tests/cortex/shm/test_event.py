from __future__ import annotations

import math
import os
import pickle
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ringplayers import Aside, Play, take_activations, wait_for_event

from cortex.shm.errors import ShmError
from cortex.shm.event import Event


@pytest.fixture
def event() -> Iterator[Event]:
    made = Event("tick")
    yield made
    made.close()


def test_it_counts(event: Event) -> None:
    assert (event.is_open(), event.pending, event.reset()) == (False, 0, False)
    event.signal()
    event.signal()
    assert (event.is_open(), event.pending) == (True, 2)
    assert event.reset() is True
    assert (event.is_open(), event.pending) == (True, 1)
    assert event.reset() is True
    assert (event.is_open(), event.pending, event.reset()) == (False, 0, False)


def test_it_counts_beyond_ten(event: Event) -> None:
    for _ in range(300):
        event.signal()
    assert event.pending == 300
    assert sum(event.reset() for _ in range(400)) == 300


def test_it_can_be_open_from_the_start() -> None:
    event = Event("tick", initial_state=True)
    assert (event.is_open(), event.pending) == (True, 1)
    event.close()


def test_waiting_takes_nothing(event: Event) -> None:
    event.signal()
    assert event.wait() is True
    assert event.wait(1) is True
    assert event.pending == 1


def test_waiting_ends_with_the_time(event: Event) -> None:
    began = time.monotonic()
    assert event.wait(0) is False
    assert event.wait(-1) is False
    assert event.wait(0.02) is False
    assert time.monotonic() - began >= 0.02
    with pytest.raises(ValueError, match="NaN"):
        event.wait(math.nan)


def test_who_waits_is_woken_and_burns_nothing(event: Event, aside: Aside) -> None:
    def wait() -> tuple[bool, float]:
        began = time.thread_time()
        return event.wait(60), time.thread_time() - began

    waits = aside(wait)
    time.sleep(0.2)
    event.signal()
    is_open, burnt = waits.result(30)
    assert is_open
    assert burnt < 0.02


def test_each_activation_is_taken_once_by_one_of_many(event: Event, play: Play) -> None:
    takers = [play(take_activations, event) for _ in range(2)]
    for taker in takers:
        assert taker.says() == "ready"
    for _ in range(500):
        event.signal()
    mine = sum(event.reset() for _ in range(20))
    while event.pending:
        time.sleep(0.01)
    for taker in takers:
        taker.hears("enough")
    assert mine + sum(taker.says() for taker in takers) == 500


def test_who_is_killed_waiting_takes_nothing_with_it(event: Event, play: Play) -> None:
    player = play(wait_for_event, event)
    assert player.says() == "ready"
    player.is_killed()
    event.signal()
    assert event.pending == 1
    assert event.reset()


def test_a_process_wakes_another(event: Event, play: Play) -> None:
    player = play(wait_for_event, event)
    assert player.says() == "ready"
    event.signal()
    assert player.says() is True
    player.ends()


def test_it_says_how_it_stands(event: Event) -> None:
    assert repr(event) == "<Event 'tick': CLOSED, 0 pending>"
    event.signal()
    assert repr(event) == "<Event 'tick': OPEN, 1 pending>"


def test_what_was_given_back_is_refused_with_a_sentence_and_leaves_nothing_open() -> None:
    before = set(os.listdir("/proc/self/fd"))
    event = Event("tick")
    event.close()
    event.close()
    assert set(os.listdir("/proc/self/fd")) == before
    assert repr(event) == "<Event 'tick': given back>"
    for use in (
        event.signal,
        event.reset,
        event.wait,
        event.is_open,
        lambda: event.pending,
        lambda: pickle.dumps(event),
    ):
        with pytest.raises(ShmError, match="The event 'tick' was given back"):
            use()


def test_it_is_not_handed_to_programs_that_know_nothing_of_it(event: Event) -> None:
    assert not os.get_inheritable(event._descriptor)


def test_elsewhere_a_sentence_says_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(ShmError, match="need Linux"):
        Event("tick")


def test_nothing_of_it_is_seen_in_a_folder(event: Event) -> None:
    assert Path(f"/proc/self/fd/{event._descriptor}").readlink() == Path("anon_inode:[eventfd]")
