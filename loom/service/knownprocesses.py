"""What process pipelines said of themselves last. Kept in memory: who still runs says it again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from loom.errors import LoomError
from loom.processes import ProcessPipeline, ProcessPipelineShape, said_of, with_short_errors
from loom.store.values import iso
from loom.verbs.processes import FORGOTTEN_AFTER_END_S, FORGOTTEN_AFTER_S, MOST_PIPELINES, SILENT_AFTER_S


class _Heard(NamedTuple):
    """`at` in microseconds since 1970, `since` as the clock says it."""

    pipeline: ProcessPipeline
    at: int
    since: float

    @property
    def has_ended(self) -> bool:
        return self.pipeline.state != "RUNNING"


class KnownProcesses:
    """Safe for threads. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._heard: dict[UUID, _Heard] = {}

    def hear(self, pipeline: ProcessPipeline, at: int) -> None:
        """`at` in microseconds since 1970."""
        said = _checked(pipeline)
        with self._lock:
            now = self._present()
            known = self._heard.get(said.run)
            heard = _Heard(said, at, now)
            if known is not None and known.has_ended and not heard.has_ended:
                return
            if known is None and len(self._heard) >= MOST_PIPELINES:
                self._make_room(now)
            self._heard[said.run] = heard

    def forget(self, run: UUID) -> None:
        with self._lock:
            self._heard.pop(run, None)

    def shapes(self) -> list[ProcessPipelineShape]:
        with self._lock:
            now = self._present()
            heard = sorted(self._heard.values(), key=lambda one: (-one.pipeline.started, one.pipeline.run))
        return [_shape(one, now) for one in heard]

    def shape(self, run: UUID) -> ProcessPipelineShape:
        with self._lock:
            now = self._present()
            heard = self._heard.get(run)
        if heard is None:
            raise LoomError("NOT_FOUND", f"There is no process pipeline {run}.")
        return _shape(heard, now)

    def _present(self) -> float:
        """The present time, at which those are forgotten that have not been heard of for long."""
        now = self._clock()
        for run, one in [*self._heard.items()]:
            if now - one.since >= (FORGOTTEN_AFTER_END_S if one.has_ended else FORGOTTEN_AFTER_S):
                del self._heard[run]
        return now

    def _make_room(self, now: float) -> None:
        """Forgets one that has ended, or is not heard of."""
        gone = [one for one in self._heard.values() if one.has_ended or _is_silent(one, now)]
        if not gone:
            raise LoomError("REQUEST_INVALID", f"{MOST_PIPELINES} other process pipelines run; Loom keeps no more.")
        del self._heard[min(gone, key=lambda one: one.since).pipeline.run]


def _is_silent(heard: _Heard, now: float) -> bool:
    return not heard.has_ended and now - heard.since >= SILENT_AFTER_S


def _shape(heard: _Heard, now: float) -> ProcessPipelineShape:
    pipeline = heard.pipeline
    return ProcessPipelineShape(
        run=pipeline.run,
        started=iso(pipeline.started),
        heard=iso(heard.at),
        silent=_is_silent(heard, now),
        **said_of(pipeline),
    )


def _checked(pipeline: ProcessPipeline) -> ProcessPipeline:
    """As it is kept, and could be sent. Raises `REQUEST_INVALID`."""
    try:
        said = msgspec.json.decode(msgspec.json.encode(with_short_errors(pipeline)), type=ProcessPipeline)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise LoomError("REQUEST_INVALID", f"{error}") from None
    tasks = _all_different("tasks", [task.name for task in said.tasks])
    streams = _all_different("streams", [stream.name for stream in said.streams])
    events = _all_different("events", [event.name for event in said.events])
    for task in said.tasks:
        _all_known("stream", [*task.reads, *task.writes], streams)
        _all_known("event", task.events, events)
    for stream in said.streams:
        readers = [reader.task for reader in stream.readers]
        _all_known("task", [stream.writer, *_all_different("readers", readers)], tasks)
    return said


def _all_different(what: str, names: Sequence[str]) -> frozenset[str]:
    different = frozenset(names)
    if len(different) < len(names):
        raise LoomError("REQUEST_INVALID", f"Two {what} have the same name.")
    return different


def _all_known(what: str, names: Iterable[str], known: frozenset[str]) -> None:
    for name in names:
        if name not in known:
            raise LoomError("REQUEST_INVALID", f"There is no {what} {name[:100]!r} in the pipeline.")
