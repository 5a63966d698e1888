from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import pytest
from shmtasks import drain, numbers, passed_on, signal_once

from cortex import shm
from cortex.shm.declaration import Declaration
from cortex.shm.layout import BLOCKING
from cortex.shm.live import Live


def declaration(**more: Any) -> Declaration:
    said = Declaration("test")
    for name in ("raw", "passed"):
        said.add_stream(name, shape=(), dtype="i8", frames=4)
    said.add_event("done", initial_state=True)
    said.add_task("source", fn=numbers, writes={"out": "raw"})
    said.add_task("middle", fn=passed_on, reads={"inp": "raw"}, writes={"out": "passed"})
    said.add_task("other", fn=drain, reads={"inp": "raw"}, **more)
    said.add_task("end", fn=None, reads={"inp": "passed"}, control="terminator")
    return said


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_compiled_it_has_a_place_for_every_reader_and_none_for_a_terminator() -> None:
    live = Live(declaration(), "spawn")
    live.compile()
    try:
        assert live.readers == {"raw": ["middle", "other"], "passed": []}
        assert [one is not None and one.blocking for one in live.rings["raw"].stats().readers] == [True, True]
        assert live.rings["passed"].stats().readers == (None,), "nobody holds its writer back"
        assert live.order is not None
        assert live.order.index("middle") < live.order.index("source")
        assert live.events["done"].is_open()
    finally:
        live.give_back()


def test_every_reader_is_waited_for_from_the_first_frame_on() -> None:
    live = Live(declaration(), "spawn")
    live.compile()
    ring = live.rings["raw"]
    words = [ring.words[ring.spec.reader_words(place) + 1] for place in range(2)]
    assert words == [BLOCKING, BLOCKING]
    live.give_back()


def test_what_was_given_back_is_gone() -> None:
    before = descriptors()
    live = Live(declaration(), "spawn")
    live.compile()
    assert descriptors() > before
    live.give_back()
    live.give_back()
    assert descriptors() == before


def test_compiling_that_failed_leaves_nothing_and_can_be_repeated() -> None:
    said = declaration()
    said.add_stream("vast", shape=(2**50,), dtype="u1", frames=1)
    said.add_task("vast source", fn=numbers, writes={"out": "vast"})
    said.add_task("vast end", fn=None, reads={"inp": "vast"}, control="terminator")
    live = Live(said, "spawn")
    event = live.event("done")
    before = descriptors()
    with pytest.raises(shm.ShmError, match=r"'vast'.*MiB"):
        live.compile()
    assert descriptors() == before
    assert event.is_open(), "who has asked for an event before keeps it"
    for name in ("vast source", "vast end"):
        del said.tasks[name]
    del said.streams["vast"]
    live.compile()
    assert live.event("done") is event
    live.give_back()


def test_a_function_that_no_process_can_be_given_is_refused_with_the_name_of_its_task() -> None:
    def inner(inp: object) -> None:
        pass

    for function in (inner, lambda inp: None):
        said = Declaration("test")
        said.add_stream("raw", shape=(), dtype="i8")
        said.add_task("source", fn=numbers, writes={"out": "raw"})
        said.add_task("strange", fn=function, reads={"inp": "raw"})
        live = Live(said, "spawn")
        before = descriptors()
        with pytest.raises(ValueError, match=r"'strange'.*top level of a module"):
            live.compile()
        assert descriptors() == before, "before any memory is taken"


def test_the_warning_of_a_shared_event_shows_the_line_that_compiles() -> None:
    pipe = shm.Pipeline("test")
    pipe.add_event("done")
    for name in "abc":
        pipe.add_task(name, fn=signal_once, events={"done": "done"})
    with pytest.warns(UserWarning, match="'done'") as warned:
        pipe.compile()
    pipe.close()
    assert Path(warned[0].filename) == Path(__file__)


def test_a_pipeline_that_nobody_closed_gives_its_memory_back_when_it_is_collected() -> None:
    before = descriptors()
    pipe = shm.Pipeline("test").add_stream("raw", shape=(), dtype="u1")
    pipe.add_task("source", fn=numbers, writes={"out": "raw"})
    pipe.add_task.terminator("end", reads={"inp": "raw"}).compile()
    del pipe
    gc.collect()
    assert descriptors() == before
