"""How a pipeline takes it when its tasks fail, die or do not want to end."""

from __future__ import annotations

import multiprocessing
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from programs import until
from shmtasks import (
    answer,
    called,
    check,
    check_and_die,
    die,
    drain,
    fail,
    fail_in_the_middle,
    fail_when_stopped,
    fail_writing,
    ignore_all,
    kill_itself,
    line,
    notes,
    numbers,
    pipeline,
    poll,
    signal_once,
    swallow_all,
    to,
)

from cortex import shm
from cortex.shm import supervisor

pytestmark = pytest.mark.usefixtures("quick")

hundred = partial(numbers, count=100)


def state_of(pipe: shm.Pipeline, task: str) -> str:
    sample = pipe.metrics(task)
    assert sample is not None
    return sample.state


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (partial(die, code=3), "its process ended with exit code 3"),
        (partial(kill_itself, number=signal.SIGKILL), "it was killed by SIGKILL"),
        (partial(kill_itself, number=signal.SIGSEGV), "it was killed by SIGSEGV"),
        (partial(kill_itself, number=signal.SIGTERM), "another program stopped it by SIGTERM"),
    ],
    ids=["exit", "SIGKILL", "SIGSEGV", "SIGTERM"],
)
def test_a_death_is_told_by_run_and_by_join(function: Any, reason: str) -> None:
    with line(hundred, function) as pipe:
        with pytest.raises(shm.TaskError) as caught:
            pipe.run()
        assert (caught.value.task, caught.value.reason, caught.value.trace) == ("reader 0", reason, "")
        with pytest.raises(shm.TaskError) as again:
            pipe.join()
        assert again.value is caught.value


def test_others_finish_what_was_written_before_they_see_the_end(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    with line(partial(fail_writing, after=5), to(seen, check), drain) as pipe:
        with pytest.raises(shm.TaskError, match="'source' failed: RuntimeError: nothing left"):
            pipe.run()
        states = {name: sample.state for name, sample in pipe.metrics().items() if sample is not None}
    assert notes(seen) == [{"stream": "raw", "first": 0, "last": 4, "broken": True}]
    assert states == {"source": "FAILED", "reader 0": "ENDED", "reader 1": "ENDED"}


def test_others_that_do_not_end_are_stopped_after_a_grace_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "GRACE_S", 0.2)
    with line(numbers, fail) as pipe:
        with pytest.raises(shm.TaskError, match="'reader 0'"):
            pipe.run()
        sample = pipe.metrics("source")
        assert sample is not None
        assert sample.state == "STOPPED"
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_module_that_cannot_be_imported_is_a_failure_of_its_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shmbroken.py").write_text(
        "import multiprocessing\n"
        "if multiprocessing.parent_process() is not None:\n"
        "    raise ImportError('only here not')\n"
        "def work(inp):\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(supervisor, "GRACE_S", 1000)  # there is nothing that others could finish
    from shmbroken import work  # type: ignore[import-not-found]

    with line(numbers, work) as pipe:
        with pytest.raises(shm.TaskError) as caught:
            pipe.run()
        assert pipe.ring("raw").stats().written == 0, "nobody was let go"
    assert caught.value.task == "reader 0"
    assert caught.value.reason == "ImportError: only here not"


def test_a_reader_that_is_started_again_goes_on_at_its_place(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    seen = tmp_path / "seen"
    with line(partial(numbers, count=60), to(seen, check_and_die, at=(20, 40)), restarts=2) as pipe:
        pipe.run()
        sample = pipe.metrics("reader 0")
        assert sample is not None
        assert (sample.restarts, sample.state) == (2, "ENDED")
    assert [note["number"] for note in notes(seen)] == [*range(21), *range(20, 41), *range(40, 60)]
    warnings = [record.getMessage() for record in caplog.records]
    assert len(warnings) == 2
    assert all("'reader 0'" in text and "started again" in text for text in warnings)


def test_readers_wait_for_a_writer_that_is_started_again(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    with line(partial(fail_in_the_middle, every=20, count=50), to(seen, check), restarts=2) as pipe:
        pipe.run()
    assert notes(seen) == [{"stream": "raw", "first": 0, "last": 49, "broken": False}]


def test_the_last_start_is_the_last_straw(caplog: pytest.LogCaptureFixture) -> None:
    with line(hundred, fail, restarts=2) as pipe:
        with pytest.raises(shm.TaskError, match="no more of this"):
            pipe.run()
        sample = pipe.metrics("reader 0")
        assert sample is not None
        assert (sample.restarts, sample.state) == (2, "FAILED")
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "ERROR"]


def test_who_waits_to_be_started_again_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_FIRST_PAUSE_S", 1000)
    monkeypatch.setattr(supervisor, "_LONGEST_PAUSE_S", 1000)
    with line(numbers, fail, restarts=1) as pipe:
        pipe.start()
        until(lambda: state_of(pipe, "reader 0") == "FAILED")
        pipe.stop()
        assert pipe.join(timeout=60)


@pytest.mark.parametrize("stubborn", [ignore_all, swallow_all])
def test_who_does_not_stop_is_killed(
    tmp_path: Path, stubborn: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "GRACE_S", 0.1)
    noted = tmp_path / "noted"
    pipe = line(to(noted, stubborn), drain)
    pipe.start()
    until(lambda: notes(noted))
    pipe.close()
    assert not Path(f"/proc/{notes(noted)[0]['pid']}").exists()
    assert [record.getMessage() for record in caplog.records] == [
        "The task 'source' did not stop within 0.1 s; it is killed."
    ]


@pytest.mark.parametrize("restarts", [0, 1])
def test_an_exception_while_being_stopped_is_told(tmp_path: Path, restarts: int) -> None:
    noted = tmp_path / "noted"
    with line(to(noted, fail_when_stopped), drain, restarts=restarts) as pipe:
        pipe.start()
        until(lambda: notes(noted))
        pipe.stop()
        with pytest.raises(shm.TaskError, match="'source' failed: RuntimeError: not like this"):
            pipe.join()


def test_tasks_that_are_stopped_have_not_failed(tmp_path: Path) -> None:
    with line(numbers, drain, poll) as pipe:
        pipe.add_event("never")
        pipe.add_task("waits", fn=answer, events={"asked": "never", "answered": "never"})
        pipe.start()
        until(lambda: pipe.ring("raw").stats().written > 10)
        pipe.stop()
        assert pipe.join()
        assert {state_of(pipe, name) for name in pipe.declaration.tasks} == {"STOPPED"}


def test_stopped_before_all_were_ready(tmp_path: Path) -> None:
    pipe = line(numbers, drain)
    pipe.start()
    pipe.close()
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_start_that_fails_half_way_leaves_no_process(method: Any) -> None:
    pipe = shm.Pipeline("test", start_method=method).add_event("gone").add_event("here")
    pipe.add_task("first", fn=signal_once, events={"done": "here"})
    pipe.add_task("second", fn=signal_once, events={"done": "gone"})
    pipe.compile()
    pipe.event("gone").close()
    with pytest.raises(shm.ShmError, match="'gone'"):
        pipe.start()
    assert pipe.join(timeout=60), "they end also when nobody closes the pipeline"
    assert multiprocessing.active_children() == []
    pipe.close()


def test_tasks_that_wait_for_events_wait_as_long_as_the_program_may_signal_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_TICK_S", 0.01)
    pipe = pipeline().add_event("go")
    pipe.add_task.toggleable("task", activate_on="go", fn=to(tmp_path / "calls", called), events={"go": "go"})
    with pipe:
        pipe.start()
        until(lambda: state_of(pipe, "task") == "WAITING")
        assert not pipe.join(timeout=0.3)
        pipe.ends_by_itself()
        assert pipe.join(timeout=60)


def test_a_signal_that_has_not_arrived_yet_keeps_the_pipeline_going(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_TICK_S", 0.01)
    calls = tmp_path / "calls"
    pipe = pipeline().add_event("go")
    pipe.add_task.toggleable("task", activate_on="go", fn=to(calls, called), events={"go": "go"})
    with pipe:
        pipe.start()
        until(lambda: state_of(pipe, "task") == "WAITING")
        sample = pipe.metrics("task")
        assert sample is not None
        assert sample.pid is not None
        os.kill(sample.pid, signal.SIGSTOP)
        pipe.event("go").signal()
        pipe.ends_by_itself()
        assert not pipe.join(timeout=0.2)
        os.kill(sample.pid, signal.SIGCONT)
        assert pipe.join(timeout=60)
    assert len(notes(calls)) == 1
