"""What a running pipeline tells of itself."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from uuid import UUID

from cortex.shm.declaration import StreamSpec, TaskSpec
from cortex.shm.live import Live
from cortex.shm.monitor import ProcessMetrics
from cortex.shm.ring import ReaderStats
from cortex.shm.supervisor import Hand, Supervisor
from loom.processes import (
    ProcessEvent,
    ProcessPipeline,
    ProcessReader,
    ProcessState,
    ProcessStream,
    ProcessTask,
)


def account_of(live: Live, run: UUID, started_us: int, metrics: Mapping[str, ProcessMetrics]) -> ProcessPipeline:
    """How a pipeline stands that was started and not closed. `metrics`: the newest sample of its tasks."""
    supervisor, said = live.supervisor, live.declaration
    assert supervisor is not None
    return ProcessPipeline(
        run=run,
        name=said.name,
        host=platform.node() or "localhost",
        pid=os.getpid(),
        started=started_us,
        state=_state(supervisor),
        error=None if supervisor.error is None else str(supervisor.error),
        tasks=[_task(task, supervisor.hands.get(name), metrics.get(name)) for name, task in said.tasks.items()],
        streams=[_stream(live, stream) for stream in said.streams.values()],
        events=[ProcessEvent(name=name, pending=event.pending) for name, event in live.events.items()],
    )


def _state(supervisor: Supervisor) -> ProcessState:
    if supervisor.error is not None:
        return "FAILED"
    if not supervisor.wait(0):
        return "RUNNING"
    return "STOPPED" if supervisor.is_stopping else "ENDED"


def _task(task: TaskSpec, hand: Hand | None, measured: ProcessMetrics | None) -> ProcessTask:
    return ProcessTask(
        name=task.name,
        pid=None if hand is None else hand.pid,
        state="ENDED" if hand is None or hand.state == "STOPPED" else hand.state,
        cpu_percent=None if measured is None or measured.pid is None else measured.cpu_percent,
        memory_mib=None if measured is None or measured.pid is None else measured.memory_rss_mb,
        restarts=0 if hand is None else hand.restarts,
        reads=list(task.reads.values()),
        writes=list(task.writes.values()),
        events=list(task.events.values()),
        error=None if hand is None or hand.error is None else str(hand.error),
    )


def _stream(live: Live, stream: StreamSpec) -> ProcessStream:
    ring = live.rings[stream.name]
    stats = ring.stats()
    readers = [_reader(*one) for one in zip(live.readers[stream.name], stats.readers, strict=False)]
    return ProcessStream(
        name=stream.name,
        writer=next(name for name, task in live.declaration.tasks.items() if stream.name in task.writes.values()),
        readers=readers,
        shape=list(stream.shape),
        dtype=str(stream.dtype),
        frames=stream.frames,
        bytes=ring.spec.size,
        written=stats.written,
        bytes_written=stats.bytes_written,
        pressure=stats.pressure,
        full_waits=stats.full_waits,
        ended=stats.ended,
    )


def _reader(task: str, stats: ReaderStats | None) -> ProcessReader:
    """One that has gone holds nobody back."""
    if stats is None:
        return ProcessReader(task=task, blocking=False)
    return ProcessReader(task=task, behind=stats.behind, skipped=stats.skipped, blocking=stats.blocking)
