from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from seedtasks import flush_buffer, worker_read

from cortex import shm
from cortex.shm.adding import TaskAdder


@pytest.fixture
def pipe() -> shm.Pipeline:
    made = shm.Pipeline("radar")
    for name in ("samples", "spectra"):
        made.add_stream(name, shape=(8,), dtype=np.float32)
    return made.add_event("flush")


def test_calls_chain(pipe: shm.Pipeline) -> None:
    adding: TaskAdder[Any] = pipe.add_task
    assert adding("a", fn=worker_read, reads={"samples": "samples"}, writes={"fft": "spectra"}) is pipe
    assert adding.switchable("b", fn=flush_buffer, activate_on="e", events={"e": "flush"}) is pipe
    assert adding.toggleable("c", fn=flush_buffer, activate_on="e", events={"e": "flush"}) is pipe
    assert adding.terminator("d", reads={"x": "spectra"}, description="nobody") is pipe
    said = pipe.declaration.tasks
    assert [(task.name, task.control, task.activate_on) for task in said.values()] == [
        ("a", None, None),
        ("b", "switchable", "e"),
        ("c", "toggleable", "e"),
        ("d", "terminator", None),
    ]
    assert said["d"].description == "nobody"


def test_as_a_decorator_it_gives_the_function_back(pipe: shm.Pipeline) -> None:
    decorated = pipe.add_task("worker", reads={"samples": "samples"}, restarts=2, latest=["samples"])(worker_read)
    assert decorated is worker_read
    task = pipe.declaration.tasks["worker"]
    assert task.function is not None
    assert task.function.target is worker_read
    assert (dict(task.reads), task.restarts, task.latest) == ({"samples": "samples"}, 2, ("samples",))


def test_a_decorator_for_a_name_that_is_taken_refuses_the_function(pipe: shm.Pipeline) -> None:
    decorate: Callable[[Any], Any] = pipe.add_task("worker", writes={"output": "samples"})
    decorate(flush_buffer)
    with pytest.raises(ValueError, match="'worker'"):
        decorate(flush_buffer)


@pytest.mark.parametrize("form", ["switchable", "toggleable"])
def test_what_activates_a_task_is_among_its_events(pipe: shm.Pipeline, form: str) -> None:
    with pytest.raises(ValueError, match=r"'flush_once'.*'output'"):
        getattr(pipe.add_task, form)("flush_once", fn=flush_buffer, activate_on="output", events={"flush": "flush"})
    assert "flush_once" not in pipe.declaration.tasks


def test_a_terminator_reads_something(pipe: shm.Pipeline) -> None:
    with pytest.raises(ValueError, match="'end'"):
        pipe.add_task.terminator("end", reads={})


def test_an_unknown_option_is_refused(pipe: shm.Pipeline) -> None:
    with pytest.raises(TypeError, match="priority"):
        pipe.add_task("worker", fn=flush_buffer, priority=3)  # type: ignore[call-overload]
