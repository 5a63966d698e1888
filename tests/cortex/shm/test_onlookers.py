"""What others see of a running pipeline: accounts, the window, Looms that are told."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from programs import until
from shmstages import count_up, drain, stay

from cortex.shm import Pipeline, TaskError
from cortex.shm.window import Window, running_pipelines
from loom.errors import LoomError
from loom.processes import ProcessPipeline


class Listener:
    """Keeps what it is told; while it is `away` it cannot be reached."""

    def __init__(self) -> None:
        self.told: list[ProcessPipeline] = []
        self.away = False
        self.calls = 0

    def report_process_pipeline(self, pipeline: ProcessPipeline) -> None:
        self.calls += 1
        if self.away:
            raise LoomError("LOOM_UNREACHABLE")
        self.told.append(pipeline)


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return tmp_path / "gate"


@pytest.fixture
def pipeline(gate: Path) -> Iterator[Pipeline]:
    """Writes 20 frames for a reader that takes none of its 32 slots until the gate is there, and for nobody."""
    with Pipeline("watched / ü") as made:
        made.add_stream("a", shape=(4,), dtype=np.int32).add_stream("idle", shape=(), dtype="<f8", frames=3)
        made.add_event("bell", initial_state=True)
        made.add_task("from", fn=partial(count_up, gate=str(gate)), writes={"out": "a"})
        made.add_task("to", fn=partial(stay, gate=str(gate)), reads={"frames": "a"})
        made.add_task("other", fn=partial(count_up, frames=5), writes={"out": "idle"})
        made.add_task.terminator("end", reads={"x": "idle"})
        yield made


def test_an_account_of_a_running_and_of_an_ended_pipeline(pipeline: Pipeline, gate: Path) -> None:
    with pytest.raises(RuntimeError, match="not started"):
        pipeline.account()
    listener = Listener()
    pipeline.report_to(listener)
    pipeline.start()
    until(lambda: [stream.written for stream in pipeline.account().streams] == [20, 5])
    until(lambda: pipeline.account().tasks[2].state == "ENDED")
    account = pipeline.account()
    assert (account.run, account.name, account.pid) == (pipeline.run_uuid, "watched / ü", os.getpid())
    assert (account.state, account.error) == ("RUNNING", None)
    assert [(event.name, event.pending) for event in account.events] == [("bell", 1)]
    assert [task.state for task in account.tasks] == ["RUNNING", "RUNNING", "ENDED", "ENDED"]
    first, second, third, end = account.tasks
    assert (first.writes, second.reads, end.reads) == (["a"], ["a"], ["idle"])
    assert None not in (first.pid, second.pid)
    assert (third.pid, end.pid) == (None, None)
    assert first.memory_mib is not None
    assert first.memory_mib > 10
    a, idle = account.streams
    assert (a.writer, a.shape, a.dtype, a.frames, a.written, a.bytes_written) == ("from", [4], "int32", 32, 20, 320)
    assert (a.pressure, a.ended) == (62.5, False)
    assert [(reader.task, reader.behind, reader.blocking) for reader in a.readers] == [("to", 20, True)]
    assert (idle.shape, idle.readers, idle.pressure, idle.ended) == ([], [], 0.0, True)
    gate.touch()
    pipeline.join()
    account = pipeline.account()
    assert account.state == "ENDED"
    assert [(reader.task, reader.behind) for reader in account.streams[0].readers] == [("to", 0)]
    pipeline.close()
    assert [one.state for one in listener.told][-1] == "ENDED"
    assert listener.told[0].state == "RUNNING"


def test_a_failure_is_told_to_the_last(gate: Path) -> None:
    listener = Listener()
    with Pipeline("failing") as pipeline:
        pipeline.add_stream("a", shape=(4,), dtype=np.int32).report_to(listener)
        pipeline.add_task("from", fn=partial(count_up, frames="many"), writes={"out": "a"})
        pipeline.add_task("to", fn=drain, reads={"frames": "a"})
        with pytest.raises(TaskError, match="'from' failed: TypeError"):
            pipeline.run()
    assert listener.told[-1].state == "FAILED"
    assert "TypeError" in (listener.told[-1].tasks[0].error or "")
    assert listener.told[-1].tasks[1].state == "ENDED"


def test_a_loom_that_is_away_is_tried_again(
    pipeline: Pipeline, gate: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("cortex.shm.telling.EVERY_S", 0.01)
    listener = Listener()
    listener.away = True
    with caplog.at_level(logging.WARNING, "cortex.shm"):
        pipeline.start()
        pipeline.report_to(listener)
        until(lambda: listener.calls > 3)
    assert [record.getMessage() for record in caplog.records if "Loom was not told" in record.getMessage()] != []
    assert sum("Loom was not told" in record.getMessage() for record in caplog.records) == 1
    listener.away = False
    until(lambda: listener.told)


def test_a_pipeline_is_seen_from_outside_while_it_runs(pipeline: Pipeline, gate: Path) -> None:
    def seen() -> list[ProcessPipeline]:
        return [one for one in running_pipelines() if one.run == pipeline.run_uuid]

    assert seen() == []
    pipeline.start()
    (account,) = seen()
    assert account.name == "watched / ü"
    gate.touch()
    pipeline.join()
    pipeline.close()
    assert seen() == []


def test_a_window_survives_callers_that_misbehave() -> None:
    account = ProcessPipeline(
        run="00000000-0000-0000-0000-000000000001",  # type: ignore[arg-type]
        name="x",
        host="h",
        pid=1,
        started=0,
        state="RUNNING",
    )
    window = Window(f"test-{os.getpid()}-{threading.get_ident()}", lambda: account)
    address = window._socket.getsockname()
    try:
        for _ in range(3):
            with socket.socket(socket.AF_UNIX) as caller:
                caller.connect(address)
        assert "x" in [one.name for one in running_pipelines()]
    finally:
        window.close()
    with socket.socket(socket.AF_UNIX) as caller, pytest.raises(ConnectionRefusedError):
        caller.connect(address)


def test_what_does_not_answer_in_words_is_left_out(pipeline: Pipeline) -> None:
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.bind(f"\0loom-cortex/shm/{os.getuid()}/stranger-{os.getpid()}")
        stranger.listen()
        answering = threading.Thread(target=lambda: stranger.accept()[0].close())
        answering.start()
        pipeline.start()
        assert pipeline.run_uuid in [one.run for one in running_pipelines()]
        answering.join()


def test_a_window_is_closed_once_who_asks_was_told(pipeline: Pipeline, gate: Path) -> None:
    pipeline.start()
    told, asked, go_on = pipeline.account(), threading.Event(), threading.Event()

    def look() -> ProcessPipeline:
        asked.set()
        go_on.wait()
        return told

    window = Window("slow", look)
    with ThreadPoolExecutor(2) as threads:
        answer = threads.submit(running_pipelines)
        asked.wait()
        closed = threads.submit(window.close)
        assert wait([closed], timeout=0.1).not_done
        go_on.set()
        closed.result()
        assert [one.run for one in answer.result()].count(told.run) == 2
    gate.touch()
