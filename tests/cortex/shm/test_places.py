"""Who has which place at a ring, and who gets it next."""

from __future__ import annotations

import os
from threading import Thread

import pytest
from meddling import Words, meanwhile, same
from ringplayers import (
    MakeRing,
    Play,
    numbered,
    put_next,
    read_and_stay,
    unread,
)

from cortex.shm import layout
from cortex.shm import ring as module
from cortex.shm.errors import ShmError


def test_places_are_given_in_turn_and_again(make_ring: MakeRing) -> None:
    ring = make_ring(readers=2)
    first, _ = ring.reader(), ring.reader()
    with pytest.raises(ShmError, match="'samples' has no place for another reader: 2 are there"):
        ring.reader()
    first.close()
    assert ring.stats().readers[0] is None
    again = ring.reader()
    assert again.read() is None
    with pytest.raises(ShmError, match="no place"):
        ring.reader()


def test_the_place_of_a_dead_reader_is_free_where_nobody_looks_after_it(make_ring: MakeRing, play: Play) -> None:
    ring = make_ring()
    player = play(read_and_stay, ring, 0)
    assert (player.says(), player.says()) == ("ready", -1)
    with pytest.raises(ShmError, match="no place"):
        ring.reader()
    player.is_killed()
    assert ring.reader().read() is None


def test_where_somebody_looks_after_them_dead_readers_keep_their_place(make_ring: MakeRing, play: Play) -> None:
    ring = make_ring(supervised=True)
    player = play(read_and_stay, ring, 2)
    assert player.says() == "ready"
    writer = ring.writer()
    put_next(ring, writer, 4)
    assert player.says() == 1
    player.is_killed()
    with pytest.raises(ShmError, match="no place"):
        ring.reader()
    assert writer.write(numbered(ring, 4))
    assert writer.write(numbered(ring, 5))
    assert not writer.write(numbered(ring, 6), 0.01)
    next_one = ring.reader(0)
    assert unread(next_one) == [2, 3, 4, 5]


def test_who_leaves_holds_nobody_back(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer, reader = ring.writer(), ring.reader()
    put_next(ring, writer, 4)
    assert not writer.write(numbered(ring, 4))
    reader.close()
    put_next(ring, writer, 9)


@pytest.mark.parametrize("place", [2, -1])
def test_a_place_that_is_not_there_is_refused(make_ring: MakeRing, place: int) -> None:
    ring = make_ring(readers=2, frames=64)
    before = bytes(ring.words)
    with pytest.raises((ShmError, ValueError, IndexError)):
        ring.reader(place)
    assert bytes(ring.words) == before


def test_who_closes_twice_sends_nobody_away(make_ring: MakeRing) -> None:
    ring = make_ring()
    first = ring.reader()
    first.close()
    _second = ring.reader()
    first.close()
    assert ring.stats().readers[0] is not None


def test_a_new_reader_is_not_charged_with_what_another_lost(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer, hasty = ring.writer(), ring.reader(latest=True)
    put_next(ring, writer, 9)
    hasty.read()
    hasty.read(0.01)
    hasty.close()
    ring.reader()
    assert ring.stats().readers[0] == (os.getpid(), True, 0, 0, 0, 0)


@pytest.mark.parametrize("look", [1, 2])
def test_who_takes_the_place_of_a_dead_reader_is_not_taken_for_it(
    make_ring: MakeRing, monkeypatch: pytest.MonkeyPatch, look: int
) -> None:
    ring = make_ring()
    ring.reader()
    ring.words[ring.spec.reader_words(0) + layout.SINCE] += 1  # somebody else's, who has died
    begun: list[Thread] = []
    dead: list[bool] = []
    really_lives = module.lives

    def lives(pid: int, since: int) -> bool:
        answer = really_lives(pid, since)
        dead.append(not answer)
        if sum(dead) == look and not begun:
            monkeypatch.setattr(module, "lives", really_lives)
            begun.append(meanwhile(same(ring).reader))
        return answer

    monkeypatch.setattr(module, "lives", lives)
    ring.drop_dead_readers()
    begun[0].join()
    assert ring.stats().readers[0] is not None


def test_who_takes_the_place_of_one_that_leaves_is_known(make_ring: MakeRing) -> None:
    ring = make_ring()
    ring.reader()
    begun: list[Thread] = []
    state = ring.spec.reader_words(0) + layout.STATE
    leaving = same(ring)
    leaving.words = Words(  # type: ignore[assignment]
        ring.words, state, lambda: begun.append(meanwhile(same(ring).reader)), value=layout.LEFT
    )
    leaving.leave(0)
    begun[0].join()
    told = ring.stats().readers[0]
    assert told is not None
    assert told.pid == os.getpid()


def test_a_reader_blocks_at_the_place_of_one_that_did_not(make_ring: MakeRing) -> None:
    """As a task that is started again, which knows nothing of what it said before."""
    ring = make_ring(supervised=True)
    ring.expect(0)
    writer = ring.writer()
    ring.reader(0).set_blocking(False)
    put_next(ring, writer, 9)
    reader = ring.reader(0)
    assert reader.is_blocking()
