from __future__ import annotations

import math
import warnings
from functools import partial
from typing import Any

import pytest

from cortex.shm.checking import UnknownName, check
from cortex.shm.declaration import Declaration
from cortex.shm.functions import Function


def takes_all(**_: object) -> None: ...


def source(samples: object) -> None: ...


def scale(samples: object, doubled: object, gain: float = 2.0) -> None: ...


def sink(doubled: object) -> None: ...


def line(*streams: str) -> Declaration:
    declaration = Declaration("line")
    for name in streams:
        declaration.add_stream(name, shape=(8,), dtype="f4")
    return declaration


def link(declaration: Declaration, task: str, reads: str = "", writes: str = "", **more: Any) -> None:
    """A task that takes anything; its streams have names of one letter."""
    declaration.add_task(task, fn=takes_all, reads={r: r for r in reads}, writes={w: w for w in writes}, **more)


def one_task(**given: Any) -> Declaration:
    """A task `worker` as given, between a source of `s` and a sink of `t`."""
    declaration = line("s", "t")
    declaration.add_event("go")
    declaration.add_task("worker", **given)
    if "s" in (given.get("reads") or {}).values():
        link(declaration, "source", writes="s")
    if "t" in (given.get("writes") or {}).values():
        link(declaration, "sink", reads="t")
    return declaration


def test_consumers_start_before_producers() -> None:
    declaration = line("samples", "doubled")
    declaration.add_task("source", fn=source, writes={"samples": "samples"})
    declaration.add_task("scale", fn=scale, reads={"samples": "samples"}, writes={"doubled": "doubled"})
    declaration.add_task("sink", fn=sink, reads={"doubled": "doubled"})
    assert check(declaration) == ["sink", "scale", "source"]


def test_the_order_is_that_of_registration_where_nothing_else_decides() -> None:
    declaration = line("a", "b")
    link(declaration, "z", writes="a")
    link(declaration, "idle")
    for name in ("y", "c", "x"):
        link(declaration, name, reads="a")
    link(declaration, "w", writes="b")
    link(declaration, "v", reads="b")
    order = check(declaration)
    assert order == ["idle", "y", "c", "x", "v", "z", "w"]
    assert check(declaration) == order


def test_a_cycle_is_refused_with_its_tasks_in_the_direction_of_the_frames() -> None:
    declaration = line("a", "b", "c", "d")
    link(declaration, "one", reads="c", writes="a")
    link(declaration, "two", reads="a", writes="b")
    link(declaration, "three", reads="b", writes="cd")
    link(declaration, "outside", reads="d")
    with pytest.raises(ValueError, match="form a cycle: 'one' -> 'two' -> 'three' -> 'one'; excuse"):
        check(declaration)


def test_an_excused_edge_opens_the_cycle_and_does_not_count_for_the_order() -> None:
    declaration = line("a", "b")
    link(declaration, "ping", reads="b", writes="a")
    link(declaration, "pong", reads="a", writes="b")
    declaration.excuse("b", "ping")
    assert check(declaration) == ["pong", "ping"]
    declaration.excused = {("a", "pong")}
    assert check(declaration) == ["ping", "pong"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"fn": takes_all, "reads": {"x": "s"}, "writes": {"x": "t"}}, "the local name 'x' is bound 2 times"),
        ({"fn": takes_all, "reads": {"go": "s"}, "events": {"go": "go"}}, "the local name 'go' is bound 2 times"),
        ({"fn": takes_all, "reads": {"x": "s"}, "latest": ["y"]}, "latest names 'y', which is not among its reads"),
        ({"fn": takes_all, "writes": {"x": "t"}, "latest": ["x"]}, "latest names 'x', which is not among its reads"),
        ({"fn": sink, "reads": {"x": "s"}}, "no argument 'x', which is bound; it has "),
        ({"fn": lambda *x: None, "reads": {"x": "s"}}, "no argument 'x', which is bound"),
        ({"fn": lambda x, /: None, "reads": {"x": "s"}}, "takes 'x' by position only"),
        ({"fn": lambda x, /, **_: None, "reads": {"x": "s"}}, "takes 'x' by position only"),
        ({"fn": scale, "reads": {"samples": "s"}}, "the argument 'doubled' of its function is not bound"),
        ({"fn": lambda *, y: None}, "the argument 'y' of its function is not bound"),
        (
            {"fn": lambda go: None, "events": {"go": "go"}, "control": "toggleable", "activate_on": "go"},
            "the argument 'go', but the event that activates a task is not handed",
        ),
        ({"fn": Function.named("cortex.absent", "work")}, "cannot be imported"),
    ],
)
def test_what_does_not_fit_a_task_is_refused_with_its_name(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=f"^task 'worker': .*{said}"):
        check(one_task(**given))


@pytest.mark.parametrize(
    "given",
    [
        {"fn": scale, "reads": {"samples": "s"}, "writes": {"doubled": "t"}},
        {"fn": partial(scale, gain=3.0), "reads": {"samples": "s"}, "writes": {"doubled": "t"}},
        {"fn": partial(scale, 1), "writes": {"doubled": "t"}},
        {"fn": lambda x, *_, y=1, **__: None, "reads": {"x": "s"}, "writes": {"Übergröße 1": "t"}},
        {"fn": lambda x, go: None, "reads": {"x": "s"}, "events": {"go": "go"}},
        {"fn": lambda: None, "events": {"go": "go"}, "control": "switchable", "activate_on": "go"},
        {"fn": dict, "reads": {"x": "s"}},
        {"fn": None, "reads": {"x": "s"}, "control": "terminator"},
        {"fn": Function.named("math", "gcd")},
        {"fn": takes_all, "reads": {"x": "s"}, "latest": ("x",)},
    ],
)
def test_what_fits_is_accepted(given: dict[str, Any]) -> None:
    declaration = one_task(**given)
    for stream in {"s", "t"} - {
        *declaration.tasks["worker"].reads.values(),
        *declaration.tasks["worker"].writes.values(),
    }:
        del declaration.streams[stream]
    assert "worker" in check(declaration)


@pytest.mark.parametrize(
    ("what", "given"),
    [
        ("stream", {"reads": {"x": "absent"}}),
        ("stream", {"writes": {"x": "absent"}}),
        ("event", {"events": {"x": "absent"}}),
    ],
)
def test_unknown_names_are_both_key_and_value_errors(what: str, given: dict[str, Any]) -> None:
    with pytest.raises(UnknownName) as caught:
        check(one_task(fn=takes_all, **given))
    assert isinstance(caught.value, KeyError)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value) == f"task 'worker' is bound to the {what} 'absent', which is not declared"


def test_a_stream_has_one_writer_and_a_reader() -> None:
    declaration = line("a")
    with pytest.raises(ValueError, match="stream 'a' has no writer"):
        check(declaration)
    link(declaration, "one", writes="a")
    with pytest.raises(ValueError, match="stream 'a' has no reader"):
        check(declaration)
    declaration.add_task("end", fn=None, reads={"a": "a"}, control="terminator")
    assert check(declaration) == ["end", "one"]
    link(declaration, "two", writes="a")
    with pytest.raises(ValueError, match="stream 'a' has two writers: the tasks 'one' and 'two'"):
        check(declaration)


def test_an_event_of_more_than_two_tasks_is_warned_of_where_the_caller_stands() -> None:
    declaration = line()
    declaration.add_event("go")
    for name in ("one", "two"):
        link(declaration, name, events={"go": "go"})
    check(declaration)
    link(declaration, "three", events={"go": "go", "again": "go"})
    with pytest.warns(UserWarning, match="event 'go' is bound into 3 tasks \\('one', 'two', 'three'\\)") as caught:
        check(declaration)
    assert caught[0].filename == __file__
    with warnings.catch_warnings(record=True) as deeper:
        warnings.simplefilter("always")
        (lambda: check(declaration, stacklevel=3))()
    assert deeper[0].lineno > caught[0].lineno


def test_problems_come_in_the_documented_order() -> None:
    declaration = line("lonely")
    link(declaration, "worker", reads="x", writes="y")
    declaration.add_task("wrong", fn=math.gcd, reads={"a": "lonely"})
    with pytest.raises(UnknownName, match="'x'"):
        check(declaration)
    declaration.add_stream("x", shape=(), dtype="u1")
    declaration.add_stream("y", shape=(), dtype="u1")
    with pytest.raises(ValueError, match="task 'wrong'"):
        check(declaration)
    del declaration.tasks["wrong"]
    with pytest.raises(ValueError, match="stream 'lonely' has no writer"):
        check(declaration)
