"""Frames that are held where they lie while further ones are read."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from meddling import Words
from ringplayers import (
    MakeRing,
    ends,
    numbered,
    put,
    unread,
)

from cortex.shm.errors import NothingPendingError, ShmError
from cortex.shm.ring import Ring


def test_a_held_frame_stays_while_the_writer_goes_round(make_ring: MakeRing) -> None:
    ring = make_ring(frames=3)
    writer, reader = ends(ring)
    assert reader.hold() is None
    writer.write(numbered(ring, 1), meta={"n": 1})
    frame = reader.hold()
    assert frame is not None
    assert (frame.info.sequence, frame.info.meta) == (0, {"n": 1})
    assert (frame.array.shape, frame.array.dtype, frame.array.flags.writeable) == ((4,), np.int64, False)
    put(ring, writer, 2, 3)
    assert not writer.write(numbered(ring, 4), 0.01)
    assert unread(reader) == [2, 3]
    assert not writer.write(numbered(ring, 4), 0.01)
    assert list(frame.array) == [1] * 4
    with pytest.raises(ValueError, match="read-only"):
        frame.array[0] = 5
    del frame
    put(ring, writer, 4, 5, 6)
    assert unread(reader) == [4, 5, 6]


@pytest.mark.parametrize("derive", [
    lambda array: array[1:],
    lambda array: array.view(np.uint8),
    lambda array: array.reshape(2, 2).T,
    lambda array: memoryview(array),
    lambda array: np.frombuffer(array, np.uint8),
    lambda array: np.asarray(array)[::-1],
])  # fmt: skip
def test_what_is_made_of_it_as_a_view_holds_it_as_well(make_ring: MakeRing, derive: Callable[[Any], Any]) -> None:
    ring = make_ring(frames=1)
    writer, reader = ends(ring)
    put(ring, writer, 1)
    frame = reader.hold()
    assert frame is not None
    view = derive(frame.array)
    del frame
    gc.collect()
    assert not writer.write(numbered(ring, 2))
    before = bytes(view)
    assert bytes(view) == before
    del view
    assert writer.write(numbered(ring, 2))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
def test_frames_are_let_go_in_any_order(make_ring: MakeRing, order: tuple[int, ...]) -> None:
    ring = make_ring(frames=4)
    writer, reader = ends(ring)
    put(ring, writer, 0, 1, 2, 3)
    held = {number: reader.hold() for number in range(3)}
    written = 4
    for gone in order:
        del held[gone]
        room = min(held, default=3)
        while writer.write(numbered(ring, written)):
            written += 1
        assert written == room + 4
        assert all(frame is not None and list(frame.array) == [number] * 4 for number, frame in held.items())
    assert unread(reader) == list(range(3, written))


@pytest.mark.parametrize("dtype", ["?", "<f2", ">f8", "g", "S5", "U3", "V7", "M8[ns]", [("at", "i8"), ("x", "f4")]])
@pytest.mark.parametrize("shape", [(), (2, 3)])
def test_frames_of_all_dtypes_can_be_held(make_ring: MakeRing, dtype: Any, shape: tuple[int, ...]) -> None:
    ring = make_ring(shape=shape, dtype=dtype, frames=3)
    writer, reader = ends(ring)
    for _ in range(3):
        writer.write(np.ones(shape, dtype) if dtype != "V7" else np.full(shape, np.void(b"1234567"), dtype))
    for _ in range(3):
        frame = reader.hold()
        assert frame is not None
        assert (frame.array.shape, frame.array.dtype) == (shape, np.dtype(dtype))
        assert frame.array.tobytes() == (
            b"1234567" * frame.array.size if dtype == "V7" else np.ones(shape, dtype).tobytes()
        )
        del frame


def test_who_does_not_hold_the_writer_back_cannot_hold_frames(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer = ring.writer()
    reader = ring.reader(blocking=False)
    put(ring, writer, 1)
    with pytest.raises(ShmError, match="'samples' that does not hold its writer back cannot hold frames"):
        reader.hold()
    assert unread(reader) == [1]


def test_a_held_frame_outlives_its_reader_and_ring() -> None:
    ring = Ring("samples", shape=(4,), dtype=np.int64)
    writer, reader = ends(ring)
    put(ring, writer, 1)
    frame = reader.hold()
    assert frame is not None
    ring.segment.close()
    del ring, writer, reader
    gc.collect()
    assert list(frame.array) == [1] * 4
    del frame
    gc.collect()


def test_a_held_frame_outlives_a_ring_that_was_closed() -> None:
    ring = Ring("samples", shape=(4,), dtype=np.int64)
    writer, reader = ends(ring)
    put(ring, writer, 1)
    frame = reader.hold()
    ring.close()
    assert frame is not None
    assert list(frame.array) == [1] * 4
    with pytest.MonkeyPatch.context() as patch:
        raised: list[object] = []
        patch.setattr("sys.unraisablehook", lambda what: raised.append(what.exc_value))
        del frame
        gc.collect()
    assert not [str(error) for error in raised]


def test_to_hold_takes_the_frame_that_was_looked_at(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    put(ring, writer, 1)
    reader.look()
    frame = reader.hold()
    assert frame is not None
    assert reader.look() is None
    with pytest.raises(NothingPendingError):
        reader.increment()
    put(ring, writer, 2)
    assert unread(reader) == [2]


def test_a_held_frame_stays_when_the_reader_lets_the_writer_run(make_ring: MakeRing) -> None:
    ring = make_ring(frames=2)
    writer, reader = ends(ring)
    put(ring, writer, 1)
    frame = reader.hold()
    assert frame is not None
    with suppress(ShmError):
        reader.set_blocking(False)
    for number in range(2, 9):
        writer.write(numbered(ring, number))
    stayed = list(frame.array) == [1] * 4
    del frame
    assert stayed


def test_a_frame_that_is_let_go_late_does_not_touch_the_next_reader(make_ring: MakeRing) -> None:
    ring = make_ring(frames=2)
    writer, reader = ends(ring)
    put(ring, writer, 1)
    frame = reader.hold()
    assert frame is not None
    reader.close()
    put(ring, writer, 2, 3, 4, 5)
    next_one = ring.reader()
    del frame
    put(ring, writer, 6, 7)
    assert unread(next_one) == [6, 7]


def test_a_frame_that_another_thread_lets_go_does_not_set_the_reader_back(make_ring: MakeRing) -> None:
    """The reader goes on between the two steps. Reader and writer would wait for each other."""
    ring = make_ring(frames=2)
    writer = ring.writer()
    words = ring.words
    tail = ring.spec.reader_words(0)

    def go_on() -> None:
        for number in (2, 3, 4):
            put(ring, writer, number)
            assert unread(reader) == [number]

    meddling = Words(words, tail, go_on, before=True, value=1)
    reader = ring.reader()
    put(ring, writer, 1)
    frame = reader.hold()
    reader._words = meddling  # type: ignore[assignment]
    del frame
    put(ring, writer, 5, 6)
    assert unread(reader) == [5, 6]
