"""Which slot comes next in a ring that is larger than a cache."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from cortex.shm import Reader, Ring, Writer
from cortex.shm.layout import CACHED_BYTES

SLOTS = 8
SHAPE = (CACHED_BYTES // SLOTS + 64,)


@pytest.fixture
def ring() -> Iterator[Ring]:
    made = Ring("large", shape=SHAPE, dtype=np.uint8, frames=SLOTS, readers=2, supervised=True)
    yield made
    made.close()


def put(writer: Writer, *numbers: int) -> None:
    for number in numbers:
        assert writer.write(np.full(SHAPE, number, np.uint8))


def got(reader: Reader, count: int) -> list[int]:
    frames = [reader.read() for _ in range(count)]
    assert all(frame is not None and frame[0] == frame[-1] for frame in frames)
    return [int(frame[0]) for frame in frames if frame is not None]


def slots_used(ring: Ring) -> int:
    memory = np.frombuffer(ring.segment.memory, np.uint8)[ring.spec.frames_offset :]
    return sum(bool(memory[slot * ring.spec.stride]) for slot in range(SLOTS))


def test_a_reader_that_keeps_up_is_served_from_few_slots(ring: Ring) -> None:
    assert ring.spec.reuses
    reader, writer = ring.reader(), ring.writer()
    for number in range(1, 50):
        put(writer, number)
        assert got(reader, 1) == [number]
    assert slots_used(ring) <= 2


def test_order_is_kept_however_far_readers_are_apart(ring: Ring) -> None:
    fast, slow, writer = ring.reader(), ring.reader(), ring.writer()
    random = np.random.default_rng(5)
    written = read_fast = read_slow = 0
    while min(read_fast, read_slow) < 400:
        while written - min(read_fast, read_slow) < SLOTS and random.random() < 0.7:
            put(writer, written % 256)
            written += 1
        for _ in range(int(random.integers(0, written - read_fast + 1))):
            assert got(fast, 1) == [read_fast % 256]
            read_fast += 1
        for _ in range(int(random.integers(0, written - read_slow + 1))):
            assert got(slow, 1) == [read_slow % 256]
            read_slow += 1
    assert got(fast, written - read_fast) == [number % 256 for number in range(read_fast, written)]
    assert fast.read() is None


def test_a_full_ring_takes_no_more_and_loses_nothing(ring: Ring) -> None:
    reader, writer = ring.reader(), ring.writer()
    put(writer, *range(SLOTS))
    assert not writer.write(np.zeros(SHAPE, np.uint8))
    assert writer.look() is None
    assert got(reader, SLOTS) == list(range(SLOTS))


def test_a_writer_that_goes_on_for_another_knows_what_is_unread(ring: Ring) -> None:
    reader, writer = ring.reader(), ring.writer()
    for number in range(20):
        put(writer, number)
        assert got(reader, 1) == [number]
    put(writer, 20, 21, 22)
    assert got(reader, 1) == [20]
    view = writer.look()  # begun, never published
    assert view is not None
    next_one = ring.writer()
    put(next_one, *range(23, 29))
    assert not next_one.write(np.zeros(SHAPE, np.uint8))
    assert got(reader, 8) == list(range(21, 29))
    put(next_one, 29)
    assert got(reader, 1) == [29]


def test_for_readers_that_hold_nobody_back_the_oldest_is_overwritten_first(ring: Ring) -> None:
    reader, writer = ring.reader(), ring.writer()
    reader.set_blocking(False)
    put(writer, *range(SLOTS))
    view = reader.look()
    assert view is not None
    assert view[0] == 0
    put(writer, 100)
    assert reader.increment() is False
    assert got(reader, 3) == [1, 2, 3]


def test_views_are_filled_and_looked_at_where_frames_lie(ring: Ring) -> None:
    reader, writer = ring.reader(), ring.writer()
    for number in range(30):
        view = writer.look()
        assert view is not None
        assert writer.look() == view
        np.frombuffer(view, np.uint8)[:] = number
        writer.increment()
        seen = reader.look()
        assert seen is not None
        assert seen[0] == seen[-1] == number
        assert reader.increment()


def test_a_held_frame_keeps_its_slot(ring: Ring) -> None:
    reader, writer = ring.reader(), ring.writer()
    put(writer, 1)
    frame = reader.hold()
    assert frame is not None
    for number in range(2, 2 + SLOTS - 1):
        put(writer, number)
        assert got(reader, 1) == [number]
    assert not writer.write(np.zeros(SHAPE, np.uint8))
    assert set(np.unique(frame.array)) == {1}
    del frame
    put(writer, 99)
    assert got(reader, 1) == [99]
