from __future__ import annotations

import math
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

from cortex.shm.declaration import Declaration
from cortex.shm.functions import Function


def work(**_: object) -> None: ...


@pytest.fixture
def line() -> Declaration:
    return Declaration("line")


def test_parts_are_kept_in_order_of_registration(line: Declaration) -> None:
    for name in "zam":
        line.add_stream(name, shape=(2,), dtype="f4")
        line.add_event(name)
        line.add_task(name, fn=work)
    assert list(line.streams) == list(line.events) == list(line.tasks) == ["z", "a", "m"]


def test_a_stream_has_the_defaults_of_the_manual(line: Declaration) -> None:
    spec = line.add_stream("samples", shape=(3, 5), dtype=np.float32)
    assert line.streams["samples"] is spec
    assert (spec.shape, spec.dtype, spec.frames, spec.max_bytes) == ((3, 5), np.dtype("<f4"), 32, None)
    assert (spec.min_reader_pos_refresh_interval, spec.min_reader_pos_refresh_s) == (64, 0.005)
    assert spec.cache_align
    assert spec.frame_nbytes == 60
    with pytest.raises(FrozenInstanceError):
        spec.frames = 3  # type: ignore[misc]


@pytest.mark.parametrize("name", ["a b", "a/b", "x" * 300, "Übergröße", "線", "\0", "a\nb", "."])
def test_any_text_is_a_name(line: Declaration, name: str) -> None:
    assert line.add_stream(name, shape=(), dtype="u1").name == name
    assert line.add_event(name).name == name
    assert line.add_task(name, fn=work, reads={name: name}, events={name: name}).reads == {name: name}


def test_names_are_text_that_is_not_empty_and_given_once(line: Declaration) -> None:
    line.add_stream("s", shape=(), dtype="u1")
    line.add_event("e")
    line.add_task("t", fn=work)
    for what, given, add in (
        ("stream", "s", lambda name: line.add_stream(name, shape=(), dtype="u1")),
        ("event", "e", line.add_event),
        ("task", "t", lambda name: line.add_task(name, fn=work)),
        ("pipeline", None, Declaration),
    ):
        with pytest.raises(TypeError, match=f"the name of a {what} must be text, not 3"):
            add(3)
        with pytest.raises(ValueError, match=f"the name of a {what} must not be empty"):
            add("")
        with pytest.raises(ValueError, match=f"the name of the {what} .* lone surrogate"):
            add("\ud800")
        if given:
            with pytest.raises(ValueError, match=f"the {what} '{given}' is declared twice"):
                add(given)


@pytest.mark.parametrize(
    ("given", "shape"), [((), ()), (7, (7,)), ([2, 3], (2, 3)), (np.zeros((4, 5)).shape, (4, 5)), ([np.int64(6)], (6,))]
)
def test_shapes_are_whole_numbers_of_at_least_one(line: Declaration, given: Any, shape: tuple[int, ...]) -> None:
    spec = line.add_stream("s", shape=given, dtype="u1")
    assert spec.shape == shape
    assert all(type(dimension) is int for dimension in spec.shape)


@pytest.mark.parametrize("shape", [(2.5,), (0,), (-2, -2), (True,), "34", None, (None,), ("3",), 0, b"ab"])
def test_other_shapes_are_refused_with_the_name_of_the_stream(line: Declaration, shape: Any) -> None:
    with pytest.raises(ValueError, match=r"stream 'pic': every dimension of shape .* not "):
        line.add_stream("pic", shape=shape, dtype="u1")
    assert line.streams == {}


def test_every_fixed_size_dtype_is_accepted(line: Declaration) -> None:
    kinds = [
        "?",
        "u1",
        "i8",
        "f2",
        "f4",
        "f8",
        "g",
        "c8",
        "c16",
        "G",
        "S5",
        "U3",
        "V7",
        ">i2",
        ">U2",
        "<M8[ns]",
        "m8[25s]",
    ]
    structured = [[("a", ">f4"), ("b", "u1", (2, 2)), ("c", [("d", "S3")])], "f4,(2,)i2"]
    for number, kind in enumerate([*kinds, *structured, int, np.complex64]):
        assert line.add_stream(str(number), shape=(2,), dtype=kind).dtype == np.dtype(kind)


def test_the_shape_of_a_sub_array_belongs_to_the_frame_as_in_numpy(line: Declaration) -> None:
    kind = np.dtype((np.dtype(("<f4", (2,))), (3,)))
    spec = line.add_stream("s", shape=(5,), dtype=kind)
    frame = np.empty((5,), kind)
    assert (spec.shape, spec.dtype, spec.frame_nbytes) == (frame.shape, frame.dtype, frame.nbytes)


@pytest.mark.parametrize(
    ("dtype", "reason"),
    [
        (object, "holds Python objects"),
        ([("a", "f4"), ("b", "O")], "holds Python objects"),
        (np.dtypes.StringDType(), "holds Python objects"),
        ("S0", "has no size"),
        (str, "has no size"),
        ("V0", "has no size"),
        ([], "has no size"),
        ("(0,)f4", "has no size"),
        ("nonsense", "is not a dtype"),
        ("f4,(bad", "is not a dtype"),
        (None, "is not a dtype"),
        (3, "is not a dtype"),
    ],
)
def test_other_dtypes_are_refused_with_the_name_of_the_stream(line: Declaration, dtype: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=rf"stream 'pic': dtype .*{reason}"):
        line.add_stream("pic", shape=(2,), dtype=dtype)


def test_depth_by_bytes_counts_padded_slots(line: Declaration) -> None:
    for name, size, room, frames in (("a", 1, 640, 10), ("b", 65, 640, 5), ("c", 64, 639, 9), ("d", 1000, 1, 2)):
        spec = line.add_stream(name, shape=(size,), dtype="u1", max_bytes=room)
        assert (spec.frames, spec.max_bytes) == (frames, room)
    with pytest.raises(ValueError, match="stream 's': give frames=4 or max_bytes=100, not both"):
        line.add_stream("s", shape=(), dtype="u1", frames=4, max_bytes=100)


@pytest.mark.parametrize("key", ["frames", "max_bytes", "min_reader_pos_refresh_interval"])
def test_counts_are_whole_numbers_of_at_least_one(line: Declaration, key: str) -> None:
    for value in (True, 2.0, "3"):
        with pytest.raises(TypeError, match=f"stream 's': {key} must be a whole number, not {value!r}"):
            line.add_stream("s", shape=(), dtype="u1", **{key: value})  # type: ignore[arg-type]
    for number in (0, -1):
        with pytest.raises(ValueError, match=f"stream 's': {key} must be at least 1, not {number}"):
            line.add_stream("s", shape=(), dtype="u1", **{key: number})  # type: ignore[arg-type]


def test_refresh_seconds_are_finite_and_not_negative(line: Declaration) -> None:
    assert line.add_stream("0", shape=(), dtype="u1", min_reader_pos_refresh_s=0).min_reader_pos_refresh_s == 0.0
    for value in ("1", None, True, 1j):
        with pytest.raises(TypeError, match="stream 's': min_reader_pos_refresh_s must be a number"):
            line.add_stream("s", shape=(), dtype="u1", min_reader_pos_refresh_s=value)  # type: ignore[arg-type]
    for number in (-0.1, math.nan, math.inf, 10**400):
        with pytest.raises(ValueError, match="stream 's': min_reader_pos_refresh_s must be 0 or more and finite"):
            line.add_stream("s", shape=(), dtype="u1", min_reader_pos_refresh_s=number)


def test_descriptions_are_text_and_switches_are_bools(line: Declaration) -> None:
    with pytest.raises(TypeError, match="event 'e': description must be text, not 3"):
        line.add_event("e", description=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="event 'e': initial_state must be True or False, not 1"):
        line.add_event("e", initial_state=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"task 't': the description .* lone surrogate"):
        line.add_task("t", fn=work, description="\udfff")


def test_bindings_cannot_be_changed_afterwards(line: Declaration) -> None:
    given = {"a": "s"}
    spec = line.add_task("t", fn=work, reads=given, latest=["a"], restarts=3)
    given["b"] = "t"
    assert spec.reads == {"a": "s"}
    assert (spec.latest, spec.restarts, spec.writes) == (("a",), 3, {})
    with pytest.raises(TypeError):
        spec.reads["b"] = "t"  # type: ignore[index]


def test_a_function_may_be_named_instead(line: Declaration) -> None:
    function = Function.named("nowhere.at_all", "work")
    assert line.add_task("t", fn=function).function is function
    assert line.add_task("u", fn=work).function == Function.of(work)


@pytest.mark.parametrize(
    ("error", "said", "given"),
    [
        (TypeError, "fn is missing", {"fn": None}),
        (TypeError, "fn must be a function, not 3", {"fn": 3}),
        (ValueError, "reads must map names of arguments", {"reads": ["samples"]}),
        (ValueError, "writes must map names to names, not 'a' to 3", {"writes": {"a": 3}}),
        (ValueError, "events must map names to names, not '' to 'e'", {"events": {"": "e"}}),
        (ValueError, "the stream 's' is bound twice, as 'a' and 'b'", {"reads": {"a": "s", "b": "s"}}),
        (ValueError, "the stream 's' is bound twice, as 'a' and 'b'", {"writes": {"a": "s", "b": "s"}}),
        (ValueError, "the stream 's' is bound twice, as 'a' and 'b'", {"reads": {"a": "s"}, "writes": {"b": "s"}}),
        (ValueError, "activate_on='e' is not among its events", {"control": "switchable", "activate_on": "e"}),
        (ValueError, "activate_on=None is not among its events", {"control": "toggleable", "events": {"e": "e"}}),
        (ValueError, "only switchable and toggleable have activate_on", {"activate_on": "e", "events": {"e": "e"}}),
        (ValueError, "control must be one of .* not 'sometimes'", {"control": "sometimes"}),
        (ValueError, "reads is empty", {"control": "terminator", "fn": None}),
        (ValueError, "it has no function", {"control": "terminator", "reads": {"a": "s"}}),
        (
            ValueError,
            "it has no writes",
            {"control": "terminator", "fn": None, "reads": {"a": "s"}, "writes": {"b": "t"}},
        ),
        (
            ValueError,
            "it has no events",
            {"control": "terminator", "fn": None, "reads": {"a": "s"}, "events": {"b": "t"}},
        ),
        (TypeError, "restarts must be a whole number, not True", {"restarts": True}),
        (ValueError, "restarts must be at least 0, not -1", {"restarts": -1}),
        (TypeError, "latest must list names, not be the text 'a'", {"latest": "a"}),
    ],
)
def test_what_does_not_fit_is_refused_with_the_name_of_the_task(
    line: Declaration, error: type[Exception], said: str, given: dict[str, Any]
) -> None:
    with pytest.raises(error, match=f"task 'mixer': .*{said}"):
        line.add_task("mixer", **{"fn": work, **given})
    assert line.tasks == {}


def test_controlled_tasks_are_accepted(line: Declaration) -> None:
    line.add_task("t", fn=work, control="toggleable", activate_on="go", events={"go": "flush"})
    line.add_task("end", fn=None, control="terminator", reads={"s": "samples"})
    assert line.tasks["t"].activate_on == "go"
    assert line.tasks["end"].function is None


def test_only_an_edge_that_is_there_can_be_excused_and_only_once(line: Declaration) -> None:
    line.add_stream("s", shape=(), dtype="u1")
    line.add_task("reader", fn=work, reads={"s": "s"})
    line.add_task("other", fn=work, writes={"s": "s"})
    line.excuse("s", "reader")
    assert line.excused == {("s", "reader")}
    for stream, task, said in (
        ("x", "reader", "no stream is named 'x'"),
        ("s", "x", "no task is named 'x'"),
        ("s", "other", "task 'other' does not read the stream 's'"),
        ("s", "reader", "is excused twice"),
    ):
        with pytest.raises(ValueError, match=said):
            line.excuse(stream, task)
