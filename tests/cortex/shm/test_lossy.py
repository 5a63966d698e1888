"""Readers that do not hold their writer back."""

from __future__ import annotations

import time

import numpy as np
import pytest
from meddling import Words
from programs import until
from ringplayers import (
    MakeRing,
    Play,
    ends,
    is_numbered,
    numbered,
    put,
    unread,
    write_when_told,
)

from cortex.shm import layout
from cortex.shm.errors import NothingPendingError
from cortex.shm.reader import Reader


def test_the_writer_does_not_wait_for_a_reader_that_does_not_block(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    assert reader.is_blocking()
    put(ring, writer, 0, 1, 2, 3)
    assert not writer.write(numbered(ring, 4))
    reader.set_blocking(False)
    assert not reader.is_blocking()
    put(ring, writer, *range(4, 30))
    found = unread(reader)
    assert found == list(range(30 - len(found), 30))
    assert 1 <= len(found) <= 4
    (told,) = ring.stats().readers
    assert told is not None
    assert (told.skipped, told.overwritten) == (30 - len(found), 0)


def test_what_was_missed_is_left_out_when_it_blocks_again(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    put(ring, writer, 0, 1)
    reader.set_blocking(True)
    assert reader.read() is not None
    reader.set_blocking(False)
    put(ring, writer, *range(2, 9))
    reader.set_blocking(True)
    assert reader.is_blocking()
    assert reader.read() is None
    put(ring, writer, 9, 10, 11, 12)
    assert not writer.write(numbered(ring, 13))
    assert unread(reader) == [9, 10, 11, 12]
    (told,) = ring.stats().readers
    assert told is not None
    assert (told.skipped, told.overwritten) == (8, 0)


@pytest.mark.parametrize("slots", [1, 2, 4])
def test_the_newest_frame_is_got(make_ring: MakeRing, slots: int) -> None:
    ring = make_ring(frames=slots)
    writer, reader = ends(ring, latest=True)
    assert not reader.is_blocking()
    for newest in (0, 1, 5, 6, 50):
        put(ring, writer, *range(writer.sequence, newest + 1))
        frame = reader.read()
        assert frame is not None
        assert frame[0] == newest
        assert reader.read() is None
    view = None
    put(ring, writer, 51, 52)
    view = reader.look()
    assert view is not None
    assert np.frombuffer(view, np.int64)[0] == 52
    assert reader.increment() is True
    (told,) = ring.stats().readers
    assert told is not None
    assert (told.skipped, told.overwritten, told.behind) == (53 - 6, 0, 0)


def test_a_frame_that_was_overwritten_while_it_was_looked_at_is_told(make_ring: MakeRing) -> None:
    """B12."""
    ring = make_ring(frames=2)
    writer, reader = ends(ring, blocking=False)
    put(ring, writer, 0)
    assert reader.look() is not None
    put(ring, writer, 1)
    assert reader.increment() is True
    assert reader.look() is not None
    put(ring, writer, 2)
    writer.look()
    assert reader.increment() is False
    (told,) = ring.stats().readers
    assert told is not None
    assert told.overwritten == 1
    assert unread(reader) == [2]


def test_a_frame_that_is_being_written_is_not_read(make_ring: MakeRing) -> None:
    ring = make_ring(frames=2)
    writer, reader = ends(ring, blocking=False)
    put(ring, writer, 0, 1)
    writer.look()
    assert unread(reader) == [1]
    (told,) = ring.stats().readers
    assert told is not None
    assert (told.skipped, told.overwritten) == (1, 0)


@pytest.mark.parametrize("latest", [False, True])
def test_who_looks_again_sees_the_same_frame(make_ring: MakeRing, latest: bool) -> None:
    ring = make_ring()
    writer, reader = ends(ring, latest=latest, blocking=False)
    put(ring, writer, 0)
    for _ in range(3):
        view = reader.look()
        assert view is not None
        assert np.frombuffer(view, np.int64)[0] == 0
        assert reader.last is not None
        assert reader.last.sequence == 0
        put(ring, writer, writer.sequence)
    assert reader.increment() is True


def test_a_frame_that_was_looked_at_and_lost_is_forgotten(make_ring: MakeRing) -> None:
    ring = make_ring(frames=1)
    writer, reader = ends(ring, blocking=False)
    put(ring, writer, 0)
    assert reader.look() is not None
    writer.look()
    assert reader.read() is None
    assert reader.look() is None
    with pytest.raises(NothingPendingError):
        reader.increment()


def test_a_lost_frame_leaves_nothing_behind(make_ring: MakeRing) -> None:
    ring = make_ring(frames=1)
    writer, reader = ends(ring, blocking=False)
    writer.write(numbered(ring, 0), meta={"n": 0})
    assert unread(reader) == [0]
    writer.write(numbered(ring, 1), meta={"n": 1})
    writer.look()
    assert reader.read() is None
    assert reader.last is not None
    assert (reader.last.sequence, reader.last.meta) == (0, {"n": 0})


def test_what_is_known_of_a_frame_is_its_own(make_ring: MakeRing) -> None:
    """The slot is written again right before its metadata is looked at."""
    ring = make_ring(frames=1)
    writer, reader = ends(ring, blocking=False)
    writer.write(numbered(ring, 0), meta={"n": 0})

    def write() -> None:
        writer.write(numbered(ring, 1), meta={"n": 1})

    for word in (layout.TIME, layout.META_LENGTH):
        index = ring.spec.slot_words + word
        reader._words = Words(ring.words, index, write, reading=True)  # type: ignore[assignment]
        frame = reader.read()
        if frame is not None:
            assert reader.last is not None
            assert frame[0] == reader.last.sequence == reader.last.meta["n"]


def test_no_frame_is_ever_torn(make_ring: MakeRing, play: Play) -> None:
    """A writer at full speed and a reader that does not hold it back; nothing is lost uncounted."""
    rings = [make_ring(shape=(8192,), frames=slots, supervised=True) for slots in (1, 2, 4)]
    readers = [ring.reader(blocking=False) for ring in rings]
    player = play(write_when_told, *rings)
    assert player.says() == "ready"
    player.hears(0)
    for ring, reader, following in zip(rings, readers, (1, 2, None), strict=True):
        until(lambda ring=ring: ring.stats().written > 100)
        got = whole_frames(reader, time.monotonic() + 0.25)
        player.hears(following)
        written = player.says()
        got += len(unread(reader))
        (told,) = ring.stats().readers
        assert told is not None
        assert got > 0 or reader.ring.spec.slots == 1
        assert got + told.skipped + told.overwritten == written


def whole_frames(reader: Reader, end: float) -> int:
    """How many it gets until then, in every way there is."""
    got, into = 0, np.zeros(reader.shape, np.int64)
    while time.monotonic() < end:
        for read in (reader.read, lambda: into if reader.read_into(into) else None):
            if (frame := read()) is not None:
                assert reader.last is not None
                assert is_numbered(frame, reader.last.sequence)
                got += 1
        if (view := reader.look()) is not None:
            seen = np.frombuffer(view, np.int64).copy()
            assert reader.last is not None
            number = reader.last.sequence
            if reader.increment():
                assert is_numbered(seen, number)
                got += 1
    return got
