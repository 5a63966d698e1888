"""The process of a task: opens its ends of the streams, waits until all are ready, calls the function, says how it
ended. It ends when its parent does."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from traceback import TracebackException, format_exception
from typing import Any

from cortex.shm.errors import EndOfStream
from cortex.shm.event import Event
from cortex.shm.functions import Function
from cortex.shm.ring import Ring

READY, WAITING, RUNNING, ENDED, STOPPED, FAILED, GO = "ready", "waiting", "running", "ended", "stopped", "failed", "go"
"""What is said between a task and its parent."""

FAREWELL_S = 1.0
"""How long a task may go on when its parent is gone."""


class Stopped(SystemExit):
    """Raised in the task's function where it is when the task is to stop."""


@dataclass(frozen=True, slots=True)
class Place:
    """A stream to read, and the reader's place in its ring."""

    ring: Ring
    number: int
    latest: bool


@dataclass(frozen=True, slots=True)
class Job:
    """What a task needs to know. `function` is pickled apart, so that what goes wrong with it is told as its failure.
    `control` is the event a controlled task waits for, `resets` whether it takes an activation each time."""

    name: str
    function: bytes
    reads: Mapping[str, Place]
    writes: Mapping[str, Ring]
    events: Mapping[str, Event]
    control: Event | None = None
    resets: bool = False


class Parent:
    """The line to the process that started this one."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self._go = threading.Event()
        threading.Thread(target=self._listen, name="parent", daemon=True).start()

    def say(self, *words: str) -> None:
        with suppress(OSError):  # it is gone, and the end of this process near
            self._line.send(words)

    def wait_for_go(self) -> None:
        self.say(READY)
        self._go.wait()

    def _listen(self) -> None:
        try:
            while self._line.recv() == GO:
                self._go.set()
        except (EOFError, OSError):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(FAREWELL_S)
            os._exit(1)


def main(job: Job, line: Connection) -> None:
    """Entry point of the process."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it too, and stops all in order
    parent = Parent(line)
    try:
        is_broken = _run(job, parent)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _leave(job, is_broken)
        said: tuple[str, ...] = (ENDED,)
    except Stopped:
        said = (STOPPED,)
    except BaseException as error:
        said = (FAILED, f"{type(error).__name__}: {TracebackException.from_exception(error)}", _trace_of(error))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    parent.say(*said)
    sys.exit(said[0] == FAILED)


def _trace_of(error: BaseException) -> str:
    """From the task's function on."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return "".join(format_exception(type(error), error, trace))


def _stop(_signal: int, _frame: object) -> None:
    raise Stopped(0)


def _run(job: Job, parent: Parent) -> bool:
    """Until the function has ended; whether because a stream that it reads has broken off."""
    function: Function = pickle.loads(job.function)  # noqa: S301 - from our own parent
    call = function.resolve()
    given: dict[str, Any] = dict(job.events)
    for local, place in job.reads.items():
        given[local] = place.ring.reader(place.number, latest=place.latest)
    for local, ring in job.writes.items():
        given[local] = ring.writer()
    parent.wait_for_go()
    try:
        if job.control is None:
            call(**given)
        else:
            _call_when_open(job.control, job.resets, lambda: call(**given), parent)
    except EndOfStream as end:
        return end.is_broken
    except SystemExit as error:
        if isinstance(error, Stopped) or error.code not in (None, 0):
            raise
    return False


def _call_when_open(event: Event, resets: bool, call: Callable[[], object], parent: Parent) -> None:
    """Again and again; ends when the function lets the end of a stream through, or the task is stopped."""
    while True:
        if not event.is_open():
            parent.say(WAITING)
            event.wait()
            parent.say(RUNNING)
        if not resets or event.reset():
            call()


def _leave(job: Job, is_broken: bool) -> None:
    """At once, so that others see the end of its streams; for a task that did not end well its parent decides."""
    for ring in job.writes.values():
        ring.end(broken=is_broken)
    for place in job.reads.values():
        place.ring.leave(place.number)
