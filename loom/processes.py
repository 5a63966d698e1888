"""Process pipelines as Loom knows them: what those that run in processes of their own say of themselves, about once a
second, and how that looks from outside."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

MOST_NAMED = 256
"""So many tasks, streams and events a pipeline has at most, and so many readers a stream."""
MOST_ERROR = 20_000
"""Characters of an error that are kept: its end, where a traceback says what was raised."""

ProcessState = Literal["RUNNING", "ENDED", "FAILED", "STOPPED"]
ProcessTaskState = Literal["STARTING", "RUNNING", "WAITING", "ENDED", "FAILED"]
_Name = Annotated[str, Meta(min_length=1, max_length=500)]
_Names = Annotated[list[_Name], Meta(max_length=MOST_NAMED)]
_Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Measure = Annotated[float, Meta(ge=0, le=1e12)]
_Sides = Annotated[list[_Count], Meta(max_length=64)]
_Pid = Annotated[int, Meta(ge=0, le=2**32 - 1)]


class ProcessTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task, which is a process. `cpu_percent` of one core and `memory_mib` (resident) are null while nobody has
    measured them. `reads` and `writes` name streams, `events` events. `error` is that with which it failed, with its
    traceback, also when it was started again since."""

    name: _Name
    pid: _Pid | None = None
    state: ProcessTaskState
    cpu_percent: _Measure | None = None
    memory_mib: _Measure | None = None
    restarts: _Count = 0
    reads: _Names = []
    writes: _Names = []
    events: _Names = []
    error: str | None = None


class ProcessReader(msgspec.Struct, frozen=True, kw_only=True):
    """A task that reads a stream: how many frames it is `behind` the writer, and how many it has `skipped`. The writer
    waits for one that is `blocking`."""

    task: _Name
    behind: _Count = 0
    skipped: _Count = 0
    blocking: bool = True


class ProcessStream(msgspec.Struct, frozen=True, kw_only=True):
    """A ring in shared memory. `shape` and `dtype` are those of one frame; the ring has `frames` slots and takes
    `bytes`. So far `written` frames of `bytes_written` went into it, and its writer has found it full `full_waits`
    times. `pressure` is how full it is, in percent. `ended`: nothing more is written."""

    name: _Name
    writer: _Name
    readers: Annotated[list[ProcessReader], Meta(max_length=MOST_NAMED)] = []
    shape: _Sides
    dtype: Annotated[str, Meta(max_length=4096)]
    frames: _Count
    bytes: _Count
    written: _Count = 0
    bytes_written: _Count = 0
    pressure: Annotated[float, Meta(ge=0, le=100)] = 0.0
    full_waits: _Count = 0
    ended: bool = False


class ProcessEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that tasks share: how often it was signalled and not yet taken."""

    name: _Name
    pending: _Count = 0


class ProcessPipelineBase(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a process pipeline. `host` and `pid` are those of the process that started it, `error` is why it
    failed, with the traceback of its task."""

    name: _Name
    host: _Name
    pid: _Pid
    state: ProcessState
    error: str | None = None
    tasks: Annotated[list[ProcessTask], Meta(max_length=MOST_NAMED)] = []
    streams: Annotated[list[ProcessStream], Meta(max_length=MOST_NAMED)] = []
    events: Annotated[list[ProcessEvent], Meta(max_length=MOST_NAMED)] = []


class ProcessPipeline(ProcessPipelineBase, frozen=True, kw_only=True):
    """A process pipeline as it tells of itself. `run` is new with each start; `started` in microseconds since 1970."""

    run: UUID
    started: Annotated[int, Meta(ge=0, le=253_402_300_799_999_999)]


class ProcessPipelineShape(ProcessPipelineBase, frozen=True, kw_only=True):
    """A process pipeline as Loom knows it, with when it was last heard of. `silent`: it has not said that it ended, and
    yet nothing is heard of it."""

    run: UUID
    started: str
    heard: str
    silent: bool


def said_of(pipeline: ProcessPipelineBase) -> dict[str, Any]:
    """What all forms of it have in common, by field."""
    return {name: getattr(pipeline, name) for name in ProcessPipelineBase.__struct_fields__}


def with_short_errors(pipeline: ProcessPipeline) -> ProcessPipeline:
    """With as much of every error as is kept, as it can be sent."""
    tasks = [msgspec.structs.replace(task, error=_short(task.error)) for task in pipeline.tasks]
    return msgspec.structs.replace(pipeline, error=_short(pipeline.error), tasks=tasks)


def _short(error: str | None) -> str | None:
    """Half characters, which stand for bytes of file names, are replaced."""
    if error is None:
        return None
    end = error if len(error) <= MOST_ERROR else f"…{error[1 - MOST_ERROR :]}"
    return end.encode("utf-8", "replace").decode("utf-8")
