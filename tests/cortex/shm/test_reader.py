from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ringplayers import (
    MakeRing,
    ends,
    numbered,
    put,
    unread,
)

from cortex.shm.errors import NothingPendingError


def test_it_says_what_it_reads(make_ring: MakeRing) -> None:
    ring = make_ring(shape=(2, 3), dtype=">f4")
    for end in ends(ring):
        assert (end.name, end.shape, end.dtype, end.frame_nbytes) == ("samples", (2, 3), np.dtype(">f4"), 24)
        assert end.raw is end.ring is ring
    assert ring.reader is not None
    single = make_ring(shape=())
    assert (single.reader().frame_size, make_ring(shape=(2, 3)).reader().frame_size) == (1, 6)


def test_what_is_read_is_a_copy_of_ones_own(make_ring: MakeRing) -> None:
    """B1: also when the slot is written again at once."""
    ring = make_ring(frames=1)
    writer, reader = ends(ring)
    assert reader.read() is None
    put(ring, writer, 1)
    frame = reader.read()
    assert frame is not None
    assert frame.flags.writeable
    assert frame.flags.owndata
    put(ring, writer, 2)
    assert list(frame) == [1] * 4
    frame[:] = 3
    assert list(reader.read()) == [2] * 4  # type: ignore[arg-type]
    assert reader.read() is None


@pytest.mark.parametrize("take", [
    lambda frame: frame,
    lambda frame: np.zeros((6, 8), np.int64)[::2, ::2],
    lambda frame: np.zeros((4, 3), np.int64).T,
    lambda frame: np.zeros((3, 4), np.int64)[::-1, ::-1],
    lambda frame: np.zeros((3, 4), np.int64).view(np.memmap),
    lambda frame: np.frombuffer(bytearray(97), np.int8)[1:].view(np.int64).reshape(3, 4),
])  # fmt: skip
def test_arrays_with_gaps_are_filled(make_ring: MakeRing, take: Callable[[Any], Any]) -> None:
    """B8."""
    ring = make_ring(shape=(3, 4))
    writer, reader = ends(ring)
    frame = np.arange(12).reshape(3, 4)
    out = take(np.zeros((3, 4), np.int64))
    assert reader.read_into(out) is False
    assert not out.any()
    writer.write(frame)
    assert reader.read_into(out) is True
    assert (out == frame).all()
    assert reader.read_into(out) is False


def test_what_lies_between_is_left_alone(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    whole = np.zeros(8, np.int64)
    put(ring, writer, 5)
    assert reader.read_into(whole[::2])
    assert list(whole) == [5, 0] * 4


def read_only() -> np.ndarray[Any, Any]:
    out = np.zeros(4, np.int64)
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(("out", "error", "said"), [
    (np.zeros(3, np.int64), ValueError, r"frames of shape \(4,\), not \(3,\)"),
    (np.zeros((1, 4), np.int64), ValueError, r"frames of shape \(4,\), not \(1, 4\)"),
    (np.zeros(4, np.float64), ValueError, "carries int64, not float64"),
    (np.zeros(4, ">i8"), ValueError, "carries int64, not >i8"),
    (read_only(), TypeError, "cannot be read into an array that is read-only"),
    ([0] * 4, TypeError, "is read into an array, not list"),
    (bytearray(32), TypeError, "is read into an array, not bytearray"),
    (None, TypeError, "is read into an array, not NoneType"),
])  # fmt: skip
def test_what_a_frame_does_not_fit_into_is_refused_and_the_frame_is_not_lost(
    make_ring: MakeRing, out: Any, error: type[Exception], said: str
) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    put(ring, writer, 6, 7)
    for _ in range(2):
        with pytest.raises(error, match=f"The stream 'samples' .*{said}"):
            reader.read_into(out)
    assert unread(reader) == [6, 7]


def test_a_frame_is_looked_at_where_it_lies(make_ring: MakeRing) -> None:
    ring = make_ring(frames=2)
    writer, reader = ends(ring)
    assert reader.look() is None
    for number in range(20):
        put(ring, writer, number)
        view = reader.look()
        assert view is not None
        assert (view.readonly, view.nbytes, view.format, view.contiguous) == (True, 32, "B", True)
        frame = np.frombuffer(view, np.int64)
        assert list(frame) == [number] * 4
        assert reader.increment() is True
        assert reader.look() is None


def test_to_look_does_not_go_on(make_ring: MakeRing) -> None:
    ring = make_ring(frames=2)
    writer, reader = ends(ring)
    put(ring, writer, 1, 2)
    first, second = reader.look(), reader.look()
    assert first == second
    assert not writer.write(numbered(ring, 3))
    assert unread(reader) == [1, 2]
    put(ring, writer, 3)
    assert unread(reader) == [3]


def test_to_read_takes_the_frame_that_was_looked_at(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    put(ring, writer, 1, 2)
    reader.look()
    assert reader.read()[0] == 1  # type: ignore[index]
    assert np.frombuffer(reader.look() or b"", np.int64)[0] == 2
    out = np.zeros(4, np.int64)
    assert reader.read_into(out)
    assert out[0] == 2
    with pytest.raises(NothingPendingError):
        reader.increment()


def test_a_frame_can_be_stepped_over(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    put(ring, writer, 1, 2, 3)
    assert reader.increment() is True
    assert unread(reader) == [2, 3]


def test_where_there_is_nothing_nothing_is_stepped_over(make_ring: MakeRing) -> None:
    """B13: and the ring stays as it was."""
    ring = make_ring(frames=2)
    writer, reader = ends(ring)
    for number in range(9):
        for _ in range(3):
            with pytest.raises(NothingPendingError, match="The stream 'samples' has no frame to step over"):
                reader.increment()
        put(ring, writer, number)
        assert unread(reader) == [number]
    put(ring, writer, 1, 2)
    assert not writer.write(numbered(ring, 3))


def test_what_is_looked_at_is_known(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    for number in range(3):
        writer.write(numbered(ring, number), meta={"n": number})
    for number in range(3):
        reader.look()
        assert reader.last is not None
        assert (reader.last.sequence, reader.last.meta) == (number, {"n": number})
        reader.increment()
        assert reader.last.sequence == number


def test_every_reader_gets_everything(make_ring: MakeRing) -> None:
    ring = make_ring(frames=3, readers=24)
    writer, readers = ring.writer(), [ring.reader() for _ in range(24)]
    for begun in range(0, 30, 3):
        put(ring, writer, begun, begun + 1, begun + 2)
        assert not writer.write(numbered(ring, -1))
        assert all(unread(reader) == [begun, begun + 1, begun + 2] for reader in readers)


@pytest.mark.parametrize("timeout", [-1, -0.001, math.nan, -math.inf])
def test_a_timeout_cannot_be_negative(make_ring: MakeRing, timeout: float) -> None:
    reader = make_ring().reader()
    for call in (reader.read, reader.look, reader.hold, lambda timeout: reader.read_into(np.zeros(4, "i8"), timeout)):
        with pytest.raises(ValueError, match="A timeout cannot be"):
            call(timeout)
