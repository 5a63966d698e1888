"""Readers that come to a stream that flows, and those that it waits for."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from meddling import Words, same
from programs import until
from ringplayers import (
    MakeRing,
    Play,
    numbered,
    put,
    put_next,
    read_number,
    read_to_end,
    unread,
    write_numbered,
    write_when_told,
)

from cortex.shm import layout
from cortex.shm.errors import EndOfStream, ShmError
from cortex.shm.layout import BLOCKING, CACHED_BYTES, STATE, TAIL


def test_who_joins_while_the_writer_goes_on_misses_nothing(make_ring: MakeRing) -> None:
    """The writer saw nobody and counts on the whole ring, when a reader is in the middle of joining."""
    ring = make_ring(frames=4)
    writer = ring.writer()
    base = ring.spec.reader_words(0)
    joining = same(ring)
    before = Words(ring.words, base + TAIL, lambda: put_next(ring, writer, 9), before=True, value=0)
    joining.words = Words(before, base + STATE, lambda: put_next(ring, writer, 2), value=BLOCKING)  # type: ignore[assignment]
    joining.join(0)
    reader = ring.reader(0)
    while writer.write(numbered(ring, writer.sequence)):
        pass
    assert unread(reader) == [11, 12, 13, 14]


def test_a_reader_is_waited_for_at_a_place_that_was_left(make_ring: MakeRing) -> None:
    ring = make_ring()
    reader = ring.reader()
    ring.words[ring.spec.reader_words(0) + layout.SINCE] += 1  # of a process that is gone by now
    reader.close()
    ring.expect(0)
    writer = ring.writer()
    put_next(ring, writer, 4)
    assert not writer.write(numbered(ring, 4))


def test_a_slot_is_not_given_out_twice_while_a_reader_joins(make_ring: MakeRing) -> None:
    """A joining reader sets its tail twice; the first can be far behind, and the writer see it."""
    slots = 8
    ring = make_ring(shape=(CACHED_BYTES // slots // 8 + 8,), frames=slots, readers=2, supervised=True)
    assert ring.spec.reuses
    writer, other = ring.writer(), ring.reader()
    put(ring, writer, *range(6))
    assert unread(other) == list(range(6))

    def go_on() -> None:
        put(ring, writer, 6, 7, 8, 9)
        assert unread(other) == [6, 7, 8, 9]
        put(ring, writer, 10)

    joining = same(ring)
    base = ring.spec.reader_words(1)
    late = Words(ring.words, base + TAIL, go_on, before=True, value=6)
    joining.words = Words(late, base + STATE, lambda: put(ring, writer, 11), value=BLOCKING)  # type: ignore[assignment]
    joining.join(1)
    reader = ring.reader(1)
    assert unread(other) == [10, 11]
    put(ring, writer, *range(12, 20))
    assert not writer.write(numbered(ring, 20))
    assert unread(reader) == unread(other) == list(range(12, 20))


@pytest.mark.parametrize("kind", ["small", "large", "reused"])
def test_who_joins_a_running_stream_misses_nothing_from_then_on(make_ring: MakeRing, play: Play, kind: str) -> None:
    """No gap after the first frame and none that is torn, however often readers come and go."""
    more = {
        "small": {"shape": (4,), "frames": 2},
        "large": {"shape": (2048,), "frames": 4},
        "reused": {"shape": (layout.CACHED_BYTES // 64 // 8 + 8,), "frames": 64},
    }
    ring = make_ring(**more[kind], readers=3)
    assert ring.spec.reuses is (kind == "reused")
    player = play(write_when_told, ring)
    assert player.says() == "ready"
    player.hears(0)
    until(lambda: ring.stats().written)
    end, joined = time.monotonic() + 0.7, 0
    hasty = ring.reader(blocking=False)
    while time.monotonic() < end:
        reader = ring.reader()
        numbers = [read_number(reader) for _ in range(3 * ring.spec.slots if joined % 4 == 0 else 3)]
        reader.close()
        assert all(number == before + 1 for before, number in pairwise(numbers))
        joined += 1
        hasty.set_blocking(True)
        numbers = [read_number(hasty) for _ in range(3)]
        hasty.set_blocking(False)
        assert all(number == before + 1 for before, number in pairwise(numbers))
    assert joined > 5
    player.hears(None)
    assert player.says() == ring.stats().written


def test_slow_readers_lose_nothing(make_ring: MakeRing, play: Play) -> None:
    """Never more than the ring holds is unread."""
    ring = make_ring(frames=4, readers=2)
    reader = ring.reader()
    fast = play(read_to_end, ring)
    assert fast.says() == "ready"
    writer = play(write_numbered, ring, 120)
    assert writer.says() == 0
    most = 0
    for number in range(120):
        assert read_number(reader) == number
        time.sleep(0.002)
        stats = ring.stats()
        most = max(most, *(one.behind for one in stats.readers if one is not None))
    assert most <= 4
    with pytest.raises(EndOfStream):
        reader.read(60)
    assert fast.says() == (0, 120, True, False, False)
    assert ring.stats().full_waits > 0


def test_every_frame_waits_for_a_reader_that_is_expected(make_ring: MakeRing) -> None:
    ring = make_ring(supervised=True, readers=2)
    ring.expect(1)
    writer = ring.writer()
    put_next(ring, writer, 4)
    assert not writer.write(numbered(ring, 4), 0.01)
    assert ring.reader() is not None
    with pytest.raises(ShmError, match="no place"):
        ring.reader()
    reader = ring.reader(1)
    assert unread(reader) == [0, 1, 2, 3]


def test_a_reader_that_joins_sees_what_is_written_from_then_on(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer = ring.writer()
    put_next(ring, writer, 10)
    reader = ring.reader()
    assert reader.read() is None
    put_next(ring, writer, 4)
    assert not writer.write(numbered(ring, 14))
    assert unread(reader) == [10, 11, 12, 13]


def test_a_reader_can_be_expected_where_nobody_looks_after_it(make_ring: MakeRing) -> None:
    ring = make_ring()
    ring.expect(0)
    writer = ring.writer()
    put_next(ring, writer, 4)
    assert not writer.write(numbered(ring, 4))
