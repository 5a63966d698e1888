"""What is known of a frame: its number, its time, the mapping that goes with it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from ringplayers import (
    MakeRing,
    ends,
    numbered,
    unread,
)

from cortex.shm.layout import META_BYTES


def test_frames_are_numbered_and_dated(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    assert (writer.sequence, reader.last) == (0, None)
    times = [time.time_ns()]
    for number in range(9):
        if number % 2:
            writer.look()
            writer.increment()
        else:
            writer.write(numbered(ring, number))
        assert writer.sequence == number + 1
        assert reader.read() is not None
        assert reader.last is not None
        assert reader.last.sequence == number
        times.append(reader.last.time_ns)
    times.append(time.time_ns())
    assert times == sorted(times)


METAS: list[dict[str, Any]] = [
    {},
    {"a": 1},
    {"at": 1.5, "on": True, "none": None, "text": "ü" * 20},
    {"deep": {"list": [1, [2, {"x": b"y"}]]}},
]


@pytest.mark.parametrize("meta", METAS)
def test_a_mapping_goes_with_a_frame(make_ring: MakeRing, meta: dict[str, Any]) -> None:
    ring = make_ring(frames=2)
    writer, reader = ends(ring)
    writer.write(numbered(ring, 0), meta=meta)
    writer.look()
    writer.increment(meta=meta)
    for _ in range(2):
        reader.read()
        assert reader.last is not None
        assert reader.last.meta == meta


def test_a_mapping_goes_with_one_frame_alone(make_ring: MakeRing) -> None:
    ring = make_ring(frames=2)
    writer, reader = ends(ring)
    for number in range(12):
        meta = {"n": number} if number % 3 == 0 else None
        if number % 2:
            writer.write(numbered(ring, number), meta=meta)
        else:
            writer.look()
            writer.increment(meta=meta)
        reader.read()
        assert reader.last is not None
        assert reader.last.meta == (meta or {})


def test_a_mapping_of_another_writer_is_not_shown_again(make_ring: MakeRing) -> None:
    ring = make_ring(frames=2)
    writer, reader = ends(ring)
    writer.write(numbered(ring, 0), meta={"old": True})
    writer.write(numbered(ring, 1), meta={"old": True})
    writer = ring.writer()
    assert unread(reader) == [0, 1]
    writer.write(numbered(ring, 2))
    assert unread(reader) == [2]
    assert reader.last is not None
    assert reader.last.meta == {}


def test_metadata_may_be_just_so_long(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    text = "x" * (META_BYTES - 5)  # one byte for the mapping, two for "n", two for the text's length
    assert writer.write(numbered(ring, 0), meta={"n": text})
    reader.read()
    assert reader.last is not None
    assert reader.last.meta == {"n": text}
    with pytest.raises(ValueError, match="Metadata of the stream 'samples' takes 257 bytes; 256 are the most"):
        writer.write(numbered(ring, 1), meta={"n": text + "x"})


@pytest.mark.parametrize("meta", [{"n": object()}, {"n": np.int64(1)}, {"n": 2**70}, 5, {"n": {object(): 1}}])
def test_metadata_that_cannot_go_is_refused_and_costs_no_frame(make_ring: MakeRing, meta: Any) -> None:
    ring = make_ring(frames=1)
    writer, reader = ends(ring)
    with pytest.raises(ValueError, match="Metadata of the stream 'samples' must be plain values"):
        writer.write(numbered(ring, 1), meta=meta)
    view = writer.look()
    assert view is not None
    with pytest.raises(ValueError, match="must be plain values"):
        writer.increment(meta=meta)
    assert reader.read() is None
    writer.increment()
    assert len(unread(reader)) == 1


def test_keys_that_are_no_text_are_refused_or_kept(make_ring: MakeRing) -> None:
    ring = make_ring()
    writer, reader = ends(ring)
    meta: Any = {1: "one"}
    try:
        writer.write(numbered(ring, 0), meta=meta)
    except ValueError:
        return
    reader.read()
    assert reader.last is not None
    assert reader.last.meta == meta
