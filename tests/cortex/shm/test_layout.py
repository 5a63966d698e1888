from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex.shm import layout
from cortex.shm.layout import LINE, META_BYTES, PAGE, SLOT_WORDS, RingSpec


def spec(shape: tuple[int, ...] = (4,), dtype: object = np.float32, **more: int) -> RingSpec:
    return RingSpec("samples", shape, np.dtype(dtype), **more)  # type: ignore[call-overload]


specs = st.builds(
    spec,
    st.sampled_from([(), (1,), (7,), (64,), (641, 3), (2, 0 + 5, 3)]),
    st.sampled_from(["u1", "<f4", ">f8", "S5", "V7", [("at", "<i8"), ("is_on", "?")]]),
    slots=st.integers(1, 70),
    readers=st.integers(1, 30),
)


@given(specs)
def test_no_part_lies_in_another(made: RingSpec) -> None:
    readers = [made.reader_words(reader) for reader in range(made.readers)]
    words = [layout.ASLEEP + 1, *readers, made.slot_words, made.words]
    assert words == sorted(words)
    assert made.slot_words - readers[-1] > layout.WAKE_AT
    assert made.words - made.slot_words == made.slots * SLOT_WORDS
    assert made.words * 8 <= made.meta_offset
    assert made.meta_offset + made.slots * META_BYTES <= made.frames_offset
    assert made.size == made.frames_offset + made.slots * made.stride


@given(specs)
def test_frames_start_at_lines_and_never_wrap(made: RingSpec) -> None:
    assert made.frames_offset % PAGE == made.stride % LINE == 0
    assert made.frame_nbytes <= made.stride < made.frame_nbytes + LINE


@given(specs)
def test_no_two_processes_write_into_the_same_line(made: RingSpec) -> None:
    line = LINE // 8
    written_by = [(layout.HEAD, layout.WRITER_SINCE), (layout.ASLEEP, layout.ASLEEP)]
    for reader in range(made.readers):
        first = made.reader_words(reader)
        written_by += [(first, first + layout.EMPTY_WAITS), (first + layout.WAKE_AT, first + layout.WAKE_AT)]
    written_by.append((made.slot_words, made.words - 1))
    assert all(this[1] // line < that[0] // line for this, that in pairwise(written_by))


def test_a_frame_without_padding() -> None:
    assert spec((480, 640, 3), "u1").frame_nbytes == 921_600
    assert spec((480, 640, 3), "u1").stride == 921_600
    assert (spec((7,), "u1").frame_nbytes, spec((7,), "u1").stride) == (7, 64)
    assert spec((), "f8").frame_nbytes == 8


@pytest.mark.parametrize("dtype", ["O", [("at", "i8"), ("what", "O")], [("deep", [("what", "O", (2,))])]])
def test_objects_are_refused_with_the_name_of_the_stream(dtype: object) -> None:
    with pytest.raises(ValueError, match="'samples' cannot carry"):
        spec(dtype=dtype)


@pytest.mark.parametrize(("shape", "dtype"), [((0,), "u1"), ((3, 0, 2), "u1"), ((4,), "S"), ((4,), "V"), ((-1,), "u1")])
def test_frames_of_no_size_are_refused(shape: tuple[int, ...], dtype: str) -> None:
    with pytest.raises(ValueError, match="'samples' has frames of no size"):
        spec(shape, dtype)


@pytest.mark.parametrize("more", [{"slots": 0}, {"slots": -1}, {"readers": 0}])
def test_a_slot_and_a_reader_are_needed(more: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="'samples' needs a slot and a reader at least"):
        spec(**more)


def test_negative_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="'samples'"):
        spec((-1, -3))


def test_a_dtype_of_whole_arrays_is_refused_or_its_shape_added() -> None:
    try:
        made = spec((2,), np.dtype(("<f4", (3,))))
    except ValueError:
        return
    assert (made.shape, made.dtype) == ((2, 3), np.dtype("<f4"))
