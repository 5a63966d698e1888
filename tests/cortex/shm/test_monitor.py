from __future__ import annotations

import logging
import math
import os
import threading
from collections.abc import Iterator
from functools import partial

import numpy as np
import psutil
import pytest
from programs import until
from shmtasks import answer, check_and_die, drain_later, numbers, pipeline, spin

from cortex import shm
from cortex.shm import monitor
from cortex.shm.monitor import ProcessMetrics, Sampler

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def full() -> Iterator[shm.Pipeline]:
    """Started; `source` has filled the ring of `raw`, and `sink` reads when the event `go` is signalled."""
    pipe = pipeline().add_stream("raw", shape=(), dtype="u1", frames=4).add_event("go")
    pipe.add_task("source", fn=partial(numbers, count=100), writes={"out": "raw"})
    pipe.add_task("sink", fn=drain_later, reads={"inp": "raw"}, events={"go": "go"})
    pipe.add_task.terminator("nobody", reads={"inp": "raw"})
    with pipe:
        pipe.start()
        until(lambda: pipe.ring("raw").stats().pressure == 100)
        yield pipe


def monitors() -> int:
    return sum(thread.name == "monitor" for thread in threading.enumerate())


def sample_of(pipe: shm.Pipeline, task: str) -> ProcessMetrics:
    sample = pipe.metrics(task)
    assert sample is not None
    return sample


def test_a_task_that_spins_is_seen_to_take_the_processor() -> None:
    pipe = pipeline().add_event("go on", initial_state=True).add_event("never")
    pipe.add_task("spins", fn=spin, events={"go_on": "go on"})
    pipe.add_task("waits", fn=answer, events={"asked": "never", "answered": "never"})
    with pipe.start_monitor(interval_s=0.02):
        pipe.start()
        until(lambda: pipe.metrics("spins") is not None and sample_of(pipe, "spins").cpu_percent > 10)
        spins, waits = sample_of(pipe, "spins"), sample_of(pipe, "waits")
        assert waits.cpu_percent < spins.cpu_percent
        assert spins.pid is not None
        assert spins.memory_rss_mb == pytest.approx(psutil.Process(spins.pid).memory_info().rss / 2**20, rel=0.2)
        pipe.event("go on").reset()
    assert monitors() == 0, "it stops with the pipeline"


def test_a_sample_tells_what_a_task_is_and_how_full_its_rings_are(full: shm.Pipeline) -> None:
    source, sink = sample_of(full, "source"), sample_of(full, "sink")
    assert (source.name, source.state, source.restarts) == ("source", "RUNNING", 0)
    assert source.ring_pressure == sink.ring_pressure == {"raw": 100}
    assert source.pid != sink.pid
    assert sink.sampled_at > source.sampled_at, "each is measured when it is asked for"
    assert full.metrics("nobody") is None
    assert set(full.metrics()) == {"source", "sink", "nobody"}


def test_watching_changes_nothing(full: shm.Pipeline) -> None:
    full.start_monitor(interval_s=0.001)
    first = sample_of(full, "source").sampled_at
    until(lambda: sample_of(full, "source").sampled_at > first + 0.1)
    assert {sample_of(full, name).nice for name in ("source", "sink")} == {os.nice(0)}


def test_before_the_start_there_is_nothing_to_tell() -> None:
    pipe = pipeline().add_event("go").start_monitor()
    pipe.add_task("task", fn=answer, events={"asked": "go", "answered": "go"})
    assert pipe.metrics("task") is None
    assert pipe.metrics() == {"task": None}
    with pytest.raises(KeyError, match="unknown"):
        pipe.metrics("unknown")
    assert monitors() == 0


def test_the_last_sample_stays_after_the_end(full: shm.Pipeline) -> None:
    full.event("go").signal()
    full.join()
    full.close()
    full.close()
    source = sample_of(full, "source")
    assert (source.state, source.pid, source.ring_pressure) == ("ENDED", None, {"raw": 0})
    assert sample_of(full, "source") is source


def test_a_monitor_measures_in_its_interval(full: shm.Pipeline) -> None:
    full.start_monitor(interval_s=1000)
    first = sample_of(full, "source")
    assert sample_of(full, "source") is first
    full.start_monitor(interval_s=0.001)
    until(lambda: sample_of(full, "source").sampled_at > first.sampled_at)
    assert monitors() == 1


@pytest.mark.parametrize("interval_s", [0, -1, math.nan, math.inf])
def test_an_interval_is_a_time(interval_s: float) -> None:
    with pytest.raises(ValueError, match="interval"):
        pipeline().start_monitor(interval_s)


def test_a_task_that_was_started_again_is_measured_anew(tmp_path: object) -> None:
    pipe = pipeline().add_stream("raw", shape=(), dtype="u1").add_event("enough")
    pipe.add_task("source", fn=numbers, writes={"out": "raw"})
    dies = partial(check_and_die, path=f"{tmp_path}/seen", at=(10,))
    pipe.add_task("sink", fn=dies, reads={"inp": "raw"}, restarts=1)
    with pipe.start_monitor(0.01):
        pipe.start()
        until(lambda: sample_of(pipe, "sink").restarts == 1 and sample_of(pipe, "sink").state == "RUNNING")
        until(lambda: sample_of(pipe, "sink").memory_rss_mb > 0)
        pipe.stop()


def test_of_a_ring_that_is_full_for_long_there_is_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(monitor, "_FULL_FOR_S", 0.05)
    ring = shm.Ring("raw", shape=(), dtype="u1", frames=2)
    reader, writer = ring.reader(), ring.writer()
    sampler = Sampler({}, {"raw": ring})

    def fill_and_sample(times: int) -> None:
        while writer.write(np.asarray(1, "u1")):
            pass
        sampler.sample()
        assert len(caplog.records) == times - 1, "not at once"
        until(lambda: sampler.sample() is None or len(caplog.records) == times)
        still_full(times)

    def still_full(times: int) -> None:
        end = monitor.time.monotonic() + 0.1
        until(lambda: sampler.sample() is None or monitor.time.monotonic() > end)
        assert len(caplog.records) == times, "once each time that it fills up"

    fill_and_sample(1)
    assert reader.read() is not None
    sampler.sample()
    fill_and_sample(2)
    assert {(record.levelno, record.getMessage()) for record in caplog.records} == {
        (logging.WARNING, "The ring of the stream 'raw' is full for more than 0.05 s.")
    }
    ring.close()
