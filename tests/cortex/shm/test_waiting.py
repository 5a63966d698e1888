"""How readers wait for frames and writers for room."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
from meddling import Words, same
from programs import until
from ringplayers import (
    Aside,
    Ask,
    MakeRing,
    Play,
    ends,
    numbered,
    put,
    read_and_stay,
    unread,
)

from cortex.shm import layout, waking
from cortex.shm.reader import Reader


def test_who_waits_is_woken_by_a_frame(make_ring: MakeRing, aside: Aside, sleeps: Any, ask: Ask) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    for number, timeout in enumerate((None, 60.0)):
        slept = sleeps.begun
        waits = aside(lambda timeout=timeout: ask(reader, timeout) is not None)
        until(lambda slept=slept: sleeps.begun > slept)
        time.sleep(0.01)
        put(ring, writer, number)
        assert waits.result(10) is True


def test_all_who_wait_are_woken(make_ring: MakeRing, aside: Aside, sleeps: Any) -> None:
    ring = make_ring(readers=5)
    writer = ring.writer()
    readers = [ring.reader() for _ in range(5)]
    waits = [aside(reader.read, None) for reader in readers]
    until(lambda: sleeps.begun == 5)
    time.sleep(0.01)
    put(ring, writer, 3)
    assert [list(one.result(10)) for one in waits] == [[3] * 4] * 5


def test_a_wait_ends_with_the_time_and_burns_nothing(make_ring: MakeRing, ask: Ask) -> None:
    writer, reader = ends(make_ring())
    assert writer.sequence == 0
    began, burnt = time.monotonic(), time.thread_time()
    assert not ask(reader, 0.3)
    assert time.thread_time() - burnt < 0.03
    assert time.monotonic() - began >= 0.3
    began = time.monotonic()
    assert not ask(reader, 0)
    assert time.monotonic() - began < 0.25


def test_who_is_about_to_sleep_notices_a_frame(make_ring: MakeRing, sleeps: Any) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    sleeps.before = lambda: put(ring, writer, 8)
    began = time.monotonic()
    assert reader.read(None) is not None
    assert (sleeps.begun, time.monotonic() - began < 10) == (1, True)


def test_who_says_that_it_will_sleep_looks_once_more(make_ring: MakeRing, sleeps: Any) -> None:
    """A writer that looked before that rings for nobody."""
    ring = make_ring()
    writer = ring.writer()
    seen = same(ring)
    seen.words = Words(ring.words, layout.ASLEEP, lambda: put(ring, writer, 8), before=True, value=1)  # type: ignore[assignment]
    reader = seen.reader()
    began = time.monotonic()
    assert reader.read(None) is not None
    assert time.monotonic() - began < 10


def test_reader_and_writer_take_turns_without_missing_a_call(make_ring: MakeRing, aside: Aside, sleeps: Any) -> None:
    """One missed wake-up would take longer than the test may."""
    there, back = make_ring(frames=1), make_ring(frames=1)
    rounds = 400

    def answer() -> int:
        reader, writer = there.reader(), back.writer()
        return sum(writer.write(reader.read(None), None) for _ in range(rounds))  # type: ignore[arg-type]

    reader, writer = back.reader(), there.writer()
    there.expect(0)
    answers = aside(answer)
    for number in range(rounds):
        writer.write(numbered(there, number), None)
        frame = reader.read(15)
        assert frame is not None
        assert frame[0] == number
    assert answers.result(15) == rounds


def test_who_falls_asleep_while_others_are_woken_is_woken_next_time(
    make_ring: MakeRing, aside: Aside, sleeps: Any
) -> None:
    """The writer is between seeing that somebody sleeps and waking; another reads what is new and wants more."""
    ring = make_ring()
    reader = ring.reader()
    about_to_sleep, may_sleep = threading.Event(), threading.Event()

    def pause() -> None:
        about_to_sleep.set()
        assert may_sleep.wait(30)

    def read_twice() -> list[int]:
        return [int(frame[0]) for frame in (reader.read(60), reader.read(60)) if frame is not None]

    reads: list[Future[list[int]]] = []

    def meanwhile() -> None:
        sleeps.before = pause
        reads.append(aside(read_twice))
        assert about_to_sleep.wait(30)

    words = ring.words
    words[layout.ASLEEP] = 1  # another reader's
    ring.words = Words(words, layout.ASLEEP, meanwhile, reading=True)  # type: ignore[assignment]
    writer = ring.writer()
    ring.words = words
    put(ring, writer, 0)
    may_sleep.set()
    until(lambda: sleeps.begun)
    time.sleep(0.05)
    put(ring, writer, 1)
    try:
        assert reads[0].result(3) == [0, 1]
    finally:
        waking.wake(ring.address(layout.HEAD))


@pytest.mark.parametrize("timeout", [-1, math.nan])
def test_a_timeout_cannot_be_negative(make_ring: MakeRing, timeout: float) -> None:
    ring = make_ring(frames=1)
    writer, _ = ends(ring)
    writer.write(numbered(ring, 0))
    with pytest.raises(ValueError, match="A timeout cannot be"):
        writer.write(numbered(ring, 1), timeout)
    with pytest.raises(ValueError, match="A timeout cannot be"):
        writer.look(timeout)


def test_a_wait_for_room_ends_with_the_time_and_burns_nothing(make_ring: MakeRing) -> None:
    ring = make_ring(frames=1)
    writer, reader = ends(ring)
    writer.write(numbered(ring, 0))
    began, burnt = time.monotonic(), time.thread_time()
    assert writer.write(numbered(ring, 1), 0.4) is False
    assert writer.look(0.1) is None
    assert time.thread_time() - burnt < 0.05
    assert time.monotonic() - began >= 0.5
    assert unread(reader) == [0]


@pytest.mark.parametrize("make_room", [
    lambda reader: reader.read(),
    lambda reader: reader.read_into(np.zeros(4, np.int64)),
    lambda reader: (reader.look(), reader.increment()),
    lambda reader: reader.hold() and None,
    lambda reader: reader.set_blocking(False),
    lambda reader: reader.close(),
])  # fmt: skip
@pytest.mark.parametrize("slots", [1, 8])
def test_a_writer_that_waits_is_woken_by_room(
    make_ring: MakeRing, aside: Aside, sleeps: Any, slots: int, make_room: Callable[[Reader], object]
) -> None:
    ring = make_ring(frames=slots)
    writer, reader = ends(ring)
    while writer.write(numbered(ring, writer.sequence)):
        pass
    written = aside(writer.write, numbered(ring, -1), None)
    until(lambda: sleeps.begun)
    for _ in range(max(slots // 2, 1)):
        time.sleep(0.005)
        make_room(reader)
    assert written.result(10) is True


def test_a_writer_that_is_about_to_sleep_notices_room(make_ring: MakeRing, sleeps: Any) -> None:
    ring = make_ring(frames=1)
    writer, reader = ends(ring)
    writer.write(numbered(ring, 0))
    sleeps.before = reader.read
    began = time.monotonic()
    assert writer.write(numbered(ring, 1), None) is True
    assert (sleeps.begun, time.monotonic() - began < 10) == (1, True)


def test_a_writer_that_says_that_it_will_sleep_looks_once_more(make_ring: MakeRing, sleeps: Any) -> None:
    """A reader that looked before that rings for nobody."""
    ring = make_ring(frames=1)
    reader = ring.reader()
    wake_at = ring.spec.reader_words(0) + layout.WAKE_AT
    seen = same(ring)
    seen.words = Words(ring.words, wake_at, reader.read, before=True)  # type: ignore[assignment]
    writer = seen.writer()
    put(ring, writer, 0)
    began = time.monotonic()
    assert writer.write(numbered(ring, 1), None) is True
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("leave", [lambda reader: reader.close(), lambda reader: reader.set_blocking(False)])
def test_a_writer_that_is_about_to_sleep_notices_that_a_reader_goes(
    make_ring: MakeRing, monkeypatch: pytest.MonkeyPatch, sleeps: Any, leave: Callable[[Reader], object]
) -> None:
    monkeypatch.setattr(waking, "longest_sleep", lambda: 2.0)
    ring = make_ring(frames=1)
    writer, reader = ends(ring)
    writer.write(numbered(ring, 0))
    sleeps.before = lambda: leave(reader)
    began = time.monotonic()
    assert writer.write(numbered(ring, 1), None) is True
    assert time.monotonic() - began < 1


def test_a_writer_goes_on_when_its_reader_is_killed(make_ring: MakeRing, play: Play, aside: Aside) -> None:
    ring = make_ring(frames=2, readers=2)
    player = play(read_and_stay, ring, 1)
    assert player.says() == "ready"
    writer = ring.writer()
    for number in range(3):
        writer.write(numbered(ring, number), timeout=None)
    assert player.says() == 0
    before = ring.stats().full_waits
    waits = aside(writer.write, numbered(ring, 3), 60)
    until(lambda: ring.stats().full_waits > before)
    player.is_killed()
    began = time.monotonic()
    assert waits.result(60) is True
    assert time.monotonic() - began < 5
    assert all(writer.write(numbered(ring, number)) for number in range(50))
    assert ring.stats().readers == (None, None)


def test_a_writer_that_does_not_wait_goes_on_as_well(make_ring: MakeRing, play: Play) -> None:
    ring = make_ring(frames=1)
    player = play(read_and_stay, ring, 0)
    assert (player.says(), player.says()) == ("ready", -1)
    writer = ring.writer()
    assert writer.write(numbered(ring, 0)) is True
    assert writer.write(numbered(ring, 1)) is False
    player.is_killed()
    assert writer.write(numbered(ring, 1)) is True
