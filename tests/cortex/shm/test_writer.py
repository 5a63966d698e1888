from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from meddling import Words, same
from programs import until
from ringplayers import (
    Aside,
    MakeRing,
    ends,
    numbered,
    put,
    unread,
)

from cortex.shm import layout
from cortex.shm.errors import NothingPendingError

DTYPES = [
    "?", "u1", "i8", "<f2", "<f4", ">f8", ">i4", "<c8", ">c16", "g", "G", "S5", "U3", ">U2", "V7", "M8[ns]", "m8[s]",
    [("at", "<i8"), ("value", ">f4", (2,)), ("name", "S3")], np.dtype([("is_on", "?"), ("value", "f8")], align=True),
]  # fmt: skip


def of_bytes(shape: tuple[int, ...], dtype: Any) -> np.ndarray[Any, Any]:
    """Values made of bytes that are all different, as far as the dtype allows."""
    made = np.zeros(shape, dtype)
    if made.dtype.kind == "U":
        made[...] = "añ"
    elif made.dtype.isalignedstruct:
        made["is_on"], made["value"] = True, 2.5
    elif made.dtype.char in "gG?":
        made[...] = np.arange(made.size).reshape(shape) % 2
    else:
        raw = made.reshape(-1).view(np.uint8)
        raw[:] = np.arange(raw.size) % 50 + 1
    return made


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3)])
def test_what_is_written_is_what_is_read(make_ring: MakeRing, shape: tuple[int, ...], dtype: Any) -> None:
    frame = of_bytes(shape, dtype)
    writer, reader = ends(make_ring(shape=shape, dtype=dtype, frames=2))
    into = np.zeros(shape, dtype)
    for _ in range(5):
        assert writer.write(frame) is True
        assert writer.write(frame) is True
        assert writer.write(frame) is False
        got = reader.read()
        assert got is not None
        assert (type(got), got.dtype, got.shape) == (np.ndarray, np.dtype(dtype), shape)
        assert reader.read_into(into) is True
        assert (got == frame).all()
        assert (into == frame).all()


@pytest.mark.parametrize("slots", [1, 2, 8])
def test_a_ring_holds_as_many_frames_as_it_has_slots(make_ring: MakeRing, slots: int) -> None:
    ring = make_ring(frames=slots)
    writer, reader = ends(ring)
    for begun in range(0, 50 * slots, slots):
        assert [writer.write(numbered(ring, begun + more)) for more in range(slots)] == [True] * slots
        assert writer.write(numbered(ring, -1)) is False
        assert writer.look() is None
        assert unread(reader) == list(range(begun, begun + slots))


def test_room_is_made_by_one_frame_at_a_time(make_ring: MakeRing) -> None:
    ring = make_ring(frames=8)
    writer, reader = ends(ring)
    while writer.write(numbered(ring, writer.sequence)):
        pass
    for number in range(8, 60):
        assert reader.read() is not None
        assert writer.write(numbered(ring, number)) is True
        assert writer.write(numbered(ring, -1)) is False
    assert unread(reader) == list(range(52, 60))


def test_without_readers_there_is_always_room(make_ring: MakeRing) -> None:
    ring = make_ring(readers=3)
    writer = ring.writer()
    assert all(writer.write(numbered(ring, number), timeout=None) for number in range(100))
    assert writer.sequence == 100


def test_the_slowest_reader_counts(make_ring: MakeRing) -> None:
    ring = make_ring(readers=3)
    writer, slow, fast = ring.writer(), ring.reader(), ring.reader()
    for number in range(4):
        writer.write(numbered(ring, number))
    assert unread(fast) == [0, 1, 2, 3]
    assert writer.write(numbered(ring, 4)) is False
    slow.read()
    assert writer.write(numbered(ring, 4)) is True
    assert writer.write(numbered(ring, 5)) is False
    assert unread(slow) == [1, 2, 3, 4]
    assert unread(fast) == [4]


@pytest.mark.parametrize("view", [
    lambda frame: np.repeat(frame, 2, axis=0)[::2],
    lambda frame: np.asfortranarray(frame),
    lambda frame: frame[::-1].copy()[::-1],
    lambda frame: np.frombuffer(frame.tobytes(), frame.dtype).reshape(frame.shape),
    lambda frame: frame.view(np.memmap),
    lambda frame: frame.tolist(),
])  # fmt: skip
def test_arrays_may_have_gaps_and_be_lists(make_ring: MakeRing, view: Callable[[Any], Any]) -> None:
    frame = np.arange(12).reshape(3, 4)
    writer, reader = ends(make_ring(shape=(3, 4)))
    assert writer.write(view(frame)) is True
    assert (reader.read() == frame).all()


@pytest.mark.parametrize(("frame", "said"), [
    (np.zeros(3, "i8"), r"frames of shape \(4,\), not \(3,\)"),
    (np.zeros((4, 1), "i8"), r"frames of shape \(4,\), not \(4, 1\)"),
    (np.zeros((), "i8"), r"frames of shape \(4,\), not \(\)"),
    (np.zeros(4, "i4"), "carries int64, not int32"),
    (np.zeros(4, ">i8"), "carries int64, not >i8"),
    (np.zeros(4, "u8"), "carries int64, not uint64"),
    ([1.0] * 4, "carries int64, not float64"),
    (np.zeros(4, "M8[ns]"), "carries int64, not datetime64"),
    (None, "carries int64, not object"),
])  # fmt: skip
def test_what_does_not_fit_is_refused_and_costs_no_frame(make_ring: MakeRing, frame: Any, said: str) -> None:
    ring = make_ring(frames=1)
    writer, reader = ends(ring)
    with pytest.raises(ValueError, match=f"The stream 'samples' .*{said}"):
        writer.write(frame)
    assert writer.write(numbered(ring, 7)) is True
    with pytest.raises(ValueError, match="The stream 'samples'"):
        writer.write(frame)
    assert unread(reader) == [7]


def test_a_frame_is_the_writers_own_again(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    frame = numbered(ring, 1)
    writer.write(frame)
    frame[:] = 2
    assert unread(reader) == [1]


def test_a_slot_is_filled_in_place(make_ring: MakeRing) -> None:
    ring = make_ring(frames=2)
    writer, reader = ends(ring)
    for number in range(20):
        view = writer.look()
        assert view is not None
        assert (view.readonly, view.nbytes, view.format) == (False, 32, "B")
        np.frombuffer(view, np.int64)[:] = number
        assert reader.read() is None
        writer.increment()
        assert unread(reader) == [number]


def test_who_looks_again_sees_the_same_slot(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    first, second = writer.look(), writer.look()
    assert first is not None
    assert second is not None
    first[:] = b"\1" * 32
    assert second == first
    writer.increment()
    assert unread(reader) == [0x0101010101010101]


def test_what_was_not_prepared_is_not_published(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    with pytest.raises(NothingPendingError, match="'samples' has no frame prepared"):
        writer.increment()
    for number in range(9):
        assert writer.look() is not None
        writer.increment()
        with pytest.raises(NothingPendingError):
            writer.increment()
        assert len(unread(reader)) == 1
        writer.write(numbered(ring, number))
        with pytest.raises(NothingPendingError):
            writer.increment()
        assert unread(reader) == [number]


def test_to_write_takes_the_slot_that_was_looked_at(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    view = writer.look()
    assert view is not None
    view[:] = b"\xff" * 32
    assert writer.write(numbered(ring, 5)) is True
    assert writer.write(numbered(ring, 6)) is True
    with pytest.raises(NothingPendingError):
        writer.increment()
    assert unread(reader) == [5, 6]


@pytest.mark.parametrize("shape", [(7,), (641, 481, 3)])
@pytest.mark.parametrize("slots", [2, 3])
def test_frames_of_odd_sizes_never_wrap(make_ring: MakeRing, shape: tuple[int, ...], slots: int) -> None:
    """B4."""
    writer, reader = ends(make_ring(shape=shape, dtype=np.uint8, frames=slots))
    last = int(np.prod(shape)) - 1
    for number in range(3000):
        room = writer.look()
        assert room is not None
        room[0] = room[last] = number % 256
        writer.increment()
        frame = reader.look()
        assert frame is not None
        assert frame[0] == frame[last] == number % 256
        assert reader.increment() is True


def test_frames_are_counted_beyond_32_bits(make_ring: MakeRing, aside: Aside, sleeps: Any) -> None:
    ring = make_ring(frames=2)
    ring.words[layout.HEAD] = 2**32 - 3
    writer, reader = ring.writer(), ring.reader()
    for number in range(2**32 - 3, 2**32 + 3):
        slept = sleeps.begun
        read = aside(reader.read, 60)
        until(lambda slept=slept: sleeps.begun > slept)
        assert writer.sequence == number
        writer.write(numbered(ring, number))
        assert read.result(10)[0] == number
        assert reader.last is not None
        assert reader.last.sequence == number


def test_two_rings_of_a_name_are_two(make_ring: MakeRing) -> None:
    one, other = make_ring(), make_ring()
    one.writer().write(numbered(one, 1))
    assert other.reader().read() is None
    again = same(one)
    assert again.writer().sequence == 1
    again.words.release()


@pytest.mark.parametrize(
    "word",
    [
        "sequence",
        "head",
    ],
)
def test_a_writer_that_is_interrupted_loses_nothing_that_was_published(make_ring: MakeRing, word: str) -> None:
    """By a signal whose handler raises, right after one of the last two steps."""
    ring = make_ring()
    reader = ring.reader()

    def interrupt() -> None:
        raise KeyboardInterrupt

    seen = same(ring)
    index = layout.HEAD if word == "head" else ring.spec.slot_words + layout.SEQUENCE
    seen.words = Words(ring.words, index, interrupt, value=1)  # type: ignore[assignment]
    writer = seen.writer()
    with pytest.raises(KeyboardInterrupt):
        writer.write(numbered(ring, 1))
    put(ring, writer, 2, 3)
    assert unread(reader)[-2:] == [2, 3]
    assert ring.stats().written == (3 if word == "head" else 2)
