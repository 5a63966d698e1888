"""How readers see that a stream is over, or goes on with another writer."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from threading import Thread
from typing import Any

import pytest
from meddling import Words, meanwhile, same
from programs import until
from ringplayers import (
    Aside,
    Ask,
    MakeRing,
    Play,
    ends,
    is_numbered,
    numbered,
    put,
    put_next,
    read_number,
    unread,
    write_and_stay,
    write_numbered,
)

from cortex.shm import layout, waking
from cortex.shm import ring as module
from cortex.shm.errors import EndOfStream
from cortex.shm.layout import BROKEN, DONE, GOES_ON


def test_who_is_about_to_sleep_notices_the_end(
    make_ring: MakeRing, monkeypatch: pytest.MonkeyPatch, sleeps: Any
) -> None:
    monkeypatch.setattr(waking, "longest_sleep", lambda: 2.0)
    writer, reader = ends(make_ring())
    sleeps.before = writer.end
    began = time.monotonic()
    with pytest.raises(EndOfStream):
        reader.read(None)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("is_broken", [False, True])
def test_the_end_comes_after_the_last_frame(make_ring: MakeRing, ask: Ask, is_broken: bool) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    put(ring, writer, 0, 1)
    ring.end(broken=is_broken)
    for _ in range(2):
        assert ask(reader, None) is not None
    for timeout in (0.0, 0.01, None):
        with pytest.raises(EndOfStream, match="'samples' has " + ("broken off" if is_broken else "ended")) as caught:
            ask(reader, timeout)
        assert (caught.value.stream, caught.value.is_broken) == ("samples", is_broken)


def test_what_is_written_last_is_read_when_the_end_comes_right_after(make_ring: MakeRing) -> None:
    """Between looking for a frame, in vain, and looking whether the stream has ended."""
    ring = make_ring()
    writer = ring.writer()
    seen = same(ring)

    def end() -> None:
        put(ring, writer, 5)
        writer.end()

    reader = seen.reader()
    seen.words = Words(ring.words, layout.HEAD, end, reading=True)  # type: ignore[assignment]
    reader = seen.reader(0)
    frame = reader.read()
    assert frame is not None
    with pytest.raises(EndOfStream):
        reader.read()


def test_there_is_nothing_to_step_over_after_the_end(make_ring: MakeRing) -> None:
    writer, reader = ends(make_ring())
    writer.end()
    with pytest.raises(EndOfStream):
        reader.increment()


def test_who_waits_is_woken_by_the_end(make_ring: MakeRing, aside: Aside, sleeps: Any, ask: Ask) -> None:
    writer, reader = ends(make_ring())
    waits = aside(ask, reader, None)
    until(lambda: sleeps.begun)
    time.sleep(0.02)
    writer.end()
    assert isinstance(waits.exception(10), EndOfStream)


def test_a_loop_that_asks_again_and_again_ends(make_ring: MakeRing, play: Play) -> None:
    ring = make_ring(supervised=True)
    reader = ring.reader()
    writer = play(write_numbered, ring, 200)
    assert writer.says() == 0
    found = []
    with pytest.raises(EndOfStream) as caught:  # noqa: PT012 - as tasks do
        while True:
            frame = reader.read()
            if frame is None:
                time.sleep(0.0005)
                continue
            found.append(int(frame[0]))
    assert found == list(range(200))
    assert not caught.value.is_broken


@pytest.mark.parametrize("timeout", [0.0, 60.0])
def test_readers_see_that_their_writer_was_killed(make_ring: MakeRing, play: Play, timeout: float) -> None:
    ring = make_ring()
    reader = ring.reader()
    player = play(write_and_stay, ring, 3)
    assert player.says() == 3
    assert reader.read(timeout) is not None
    player.is_killed()
    assert (read_number(reader), read_number(reader)) == (1, 2)
    began = time.monotonic()
    with pytest.raises(EndOfStream) as caught:  # noqa: PT012 - as tasks do
        while time.monotonic() - began < 30:
            assert reader.read(timeout) is None
            time.sleep(0.001)
    assert caught.value.is_broken
    assert time.monotonic() - began < 5
    assert ring.state == layout.BROKEN


def test_readers_go_on_with_the_writer_that_follows(make_ring: MakeRing, play: Play) -> None:
    ring = make_ring(supervised=True)
    reader = ring.reader()
    first = play(write_and_stay, ring, 2)
    assert first.says() == 2
    first.is_killed()
    assert unread(reader) == [0, 1]
    second = play(write_numbered, ring, 20)
    assert second.says() == 2
    for number in range(2, 22):
        frame = reader.read(60)
        assert frame is not None
        assert is_numbered(frame, number)
        assert reader.last is not None
        assert reader.last.sequence == number


def test_the_end_is_told_once_all_is_read(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    writer.write(numbered(ring, 3))
    writer.end()
    assert reader.read() is not None
    with pytest.raises(EndOfStream) as caught:
        reader.read()
    assert (caught.value.stream, caught.value.is_broken) == ("samples", False)


def test_the_end_is_what_was_said_first(make_ring: MakeRing) -> None:
    for is_broken, state in ((False, DONE), (True, BROKEN)):
        ring = make_ring()
        ring.end(broken=is_broken)
        ring.end(broken=not is_broken)
        assert ring.state == state
        assert ring.stats()[4:6] == (True, is_broken)


def test_a_new_writer_makes_the_stream_go_on(make_ring: MakeRing) -> None:
    ring = make_ring()
    reader = ring.reader()
    ring.end(broken=True)
    with pytest.raises(EndOfStream):
        reader.read()
    writer = ring.writer()
    assert reader.read() is None
    put_next(ring, writer, 1)
    assert reader.read() is not None


@pytest.mark.parametrize("look", [1, 2])
def test_a_stream_is_not_ended_for_a_writer_that_was_replaced_meanwhile(
    make_ring: MakeRing, monkeypatch: pytest.MonkeyPatch, look: int
) -> None:
    ring = make_ring()
    reader = ring.reader()
    ring.writer()
    ring.words[layout.WRITER_SINCE] += 1  # somebody else's, who has died
    begun: list[Thread] = []
    dead: list[bool] = []
    really_lives = module.lives

    def lives(pid: int, since: int) -> bool:
        answer = really_lives(pid, since)
        dead.append(not answer)
        if sum(dead) == look and not begun:
            monkeypatch.setattr(module, "lives", really_lives)
            begun.append(meanwhile(same(ring).writer))
        return answer

    monkeypatch.setattr(module, "lives", lives)
    with suppress(EndOfStream):  # as it was when it looked
        reader.read()
    begun[0].join()
    assert ring.state == GOES_ON
    assert ring.words[layout.WRITER_PID] == os.getpid()


def test_a_writer_that_ends_and_goes_while_it_is_looked_for_has_ended_well(
    make_ring: MakeRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = make_ring()
    reader, writer = ring.reader(), ring.writer()

    def lives(_pid: int, _since: int) -> bool:
        writer.end()
        return False

    monkeypatch.setattr(module, "lives", lives)
    with pytest.raises(EndOfStream) as caught:
        reader.read()
    assert not caught.value.is_broken
