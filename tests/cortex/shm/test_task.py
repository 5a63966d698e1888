"""What a task does in its process; how its parent takes it is told in `test_supervisor`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from programs import until
from shmtasks import (
    add_one,
    called,
    called_once,
    check,
    drain,
    fail,
    fail_unspeakably,
    fail_while_looking,
    fail_writing,
    leave,
    line,
    notes,
    numbers,
    passed_on,
    pipeline,
    poll,
    read_one,
    to,
    turn,
    write_one,
)

from cortex import shm

pytestmark = pytest.mark.usefixtures("quick")

hundred = partial(numbers, count=100)


def error_of(pipe: shm.Pipeline) -> shm.TaskError:
    with pipe, pytest.raises(shm.TaskError) as caught:
        pipe.run()
    return caught.value


def test_endless_loops_end_with_their_source(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    with line(hundred, poll, drain) as pipe:
        pipe.add_stream("passed", shape=(3,), dtype="u1")
        pipe.add_task("middle", fn=passed_on, reads={"inp": "raw"}, writes={"out": "passed"})
        pipe.add_task("sink", fn=to(seen, check), reads={"inp": "passed"})
        pipe.run()
    assert notes(seen) == [{"stream": "passed", "first": 0, "last": 99, "broken": False}]


def test_that_a_stream_has_broken_off_is_passed_on_down_the_line(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    pipe = line(partial(fail_writing, after=50), to(seen, check)).add_stream("passed", shape=(3,), dtype="u1")
    pipe.add_task("middle", fn=passed_on, reads={"inp": "raw"}, writes={"out": "passed"})
    pipe.add_task("sink", fn=to(seen, check), reads={"inp": "passed"})
    assert error_of(pipe).task == "source"
    said = sorted(notes(seen), key=lambda note: str(note["stream"]))
    assert said == [{"stream": name, "first": 0, "last": 49, "broken": True} for name in ("passed", "raw")]


def test_an_exception_is_told_with_its_traceback() -> None:
    error = error_of(line(hundred, partial(fail, after=3)))
    assert (error.task, error.reason) == ("reader 0", "RuntimeError: no more of this")
    assert 'raise RuntimeError("no more of this")' in error.trace
    assert "shmtasks.py" in error.trace.splitlines()[1], "it begins with the function"
    assert "cortex/shm" not in error.trace
    assert str(error).startswith("The task 'reader 0' failed: RuntimeError: no more of this\n\nTraceback")


def test_an_exception_while_a_view_is_held_shows_its_cause(capfd: pytest.CaptureFixture[str]) -> None:
    error = error_of(line(hundred, fail_while_looking))
    assert error.reason == "ValueError: the first is 0"
    assert "BufferError" not in error.trace + capfd.readouterr().err


def test_an_exception_that_cannot_be_printed_is_told_all_the_same() -> None:
    assert error_of(line(hundred, fail_unspeakably)).reason.startswith("Unspeakable: ")


@pytest.mark.parametrize("code", [3, "too bad"])
def test_an_exit_that_is_no_success_is_told(code: object) -> None:
    assert error_of(line(hundred, partial(leave, code=code))).reason == f"SystemExit: {code}"


@pytest.mark.parametrize("code", [0, None])
def test_an_exit_with_success_is_a_normal_end(code: object) -> None:
    with line(hundred, partial(leave, code=code)) as pipe:
        pipe.run()


def controlled(form: str, function: Any, **more: Any) -> shm.Pipeline:
    pipe = pipeline().add_event("go")
    return getattr(pipe.add_task, form)("task", activate_on="go", fn=function, events={"go": "go", **more})


def test_a_toggleable_is_called_once_for_every_signal(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    with controlled("toggleable", to(calls, called)) as pipe:
        pipe.start()
        assert pipe.metrics("task") is not None
        pipe.event("go").signal()
        pipe.event("go").signal()
        pipe.ends_by_itself()
        pipe.join()
        assert pipe.event("go").pending == 0
    assert len(notes(calls)) == 2


def test_a_switchable_is_called_while_its_event_is_open(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    pipe = controlled("switchable", to(calls, called))
    with pipe:
        pipe.start()
        go = pipe.event("go")
        go.signal()
        until(lambda: len(notes(calls)) > 3)
        assert go.pending == 1, "it resets nothing"
        go.reset()
        pipe.ends_by_itself()
        pipe.join()
        over = len(notes(calls))
        assert over > 3


def test_a_switchable_may_close_what_activates_it(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    pipe = pipeline().add_event("go", initial_state=True)
    pipe.add_task.switchable(
        "task", activate_on="activates", fn=to(calls, called_once), events={"activates": "go", "go": "go"}
    )
    with pipe:
        pipe.run()
    assert len(notes(calls)) == 1


def test_a_controlled_task_ends_with_the_stream_that_it_reads(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    pipe = pipeline().add_stream("raw", shape=(3,), dtype="u1").add_event("on", initial_state=True)
    pipe.add_task("source", fn=partial(numbers, count=4), writes={"out": "raw"})
    pipe.add_task.switchable("task", activate_on="on", fn=to(seen, read_one), reads={"inp": "raw"}, events={"on": "on"})
    with pipe:
        pipe.start()
        pipe.join()
    assert notes(seen) == [{"number": number} for number in range(4)]


def test_a_toggleable_goes_on_in_its_streams_from_call_to_call(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    pipe = pipeline().add_stream("raw", shape=(3,), dtype="u1").add_event("go")
    pipe.add_task.toggleable("task", activate_on="go", fn=write_one, writes={"out": "raw"}, events={"go": "go"})
    pipe.add_task("sink", fn=to(seen, check), reads={"inp": "raw"})
    with pipe:
        pipe.start()
        for number in range(3):
            pipe.event("go").signal()
            until(lambda number=number: pipe.ring("raw").stats().written == number + 1)
        pipe.stop()
        pipe.join()


def test_an_excused_edge_leads_back() -> None:
    pipe = pipeline()
    for name in ("there", "back"):
        pipe.add_stream(name, shape=(), dtype="i8")
    pipe.add_task("turns", fn=partial(turn, rounds=50), reads={"back": "back"}, writes={"out": "there"})
    pipe.add_task("adds", fn=add_one, reads={"inp": "there"}, writes={"out": "back"})
    with pytest.raises(ValueError, match="cycle"):
        pipe.compile()
    pipe.add_excused_edge("back", "turns")
    with pipe:
        pipe.run()
