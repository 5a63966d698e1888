"""What sinks are about to do to files, told to Loom before they do it, several at a time in one transaction."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from cortex.engine.entry import Entry
from cortex.engine.tally import LaneRun
from loom.ending import disk_full
from loom.errors import NO_ROOM, LoomError
from loom.model import Action

Tell = Callable[[LaneRun, Sequence[Action], Sequence[UUID]], None]
"""Writes down for a run what is about to be done, and forgets what was dropped."""


def _nobody(run: LaneRun, ahead: Sequence[Action], dropped: Sequence[UUID]) -> None:
    """There is no Loom."""


DOING = "doing"
"""The folder below the meta path that has a file for each run that has told of something; it is locked as long as the
process lives that executes the run, and stays when that was killed."""


class _Wanted:
    """One action that a thread waits with."""

    def __init__(self, run: LaneRun, action: Action) -> None:
        self.run = run
        self.action = action
        self.is_told = False
        self.error: BaseException | None = None


class Intentions:
    """Safe for threads. While one of them tells Loom, others gather; the next tells for all of them."""

    def __init__(self, tell: Tell = _nobody, doing: Path | None = None) -> None:
        self._tell = tell
        self._doing = doing
        self._lock = threading.Lock()
        self._telling = threading.Lock()
        self._waiting: list[_Wanted] = []
        self._dropped: dict[UUID, LaneRun] = {}
        self._held: dict[UUID, int] = {}

    def intend(self, run: LaneRun, entry: Entry, action: Action) -> None:
        """When it returns, this is written down. Raises what kept Loom from that; then nothing is to be done."""
        wanted = _Wanted(run, action)
        entry.intended.append(action.uuid)
        with self._lock:
            self._waiting.append(wanted)
        with self._telling:
            if not wanted.is_told:
                self._tell_all()
        if wanted.error is not None:
            raise wanted.error

    def drop_vain(self, run: LaneRun, entry: Entry) -> None:
        """Of what an attempt was about to do, it has done what it told of; Loom hears of the rest some time later."""
        if entry.intended:
            done = {action.uuid for action in entry.actions}
            with self._lock:
                self._dropped.update((action, run) for action in entry.intended if action not in done)
            entry.intended.clear()

    def close(self) -> None:
        """Nothing more will be done. Whatever Loom cannot be told now is found out by looking, as after a kill."""
        with self._telling, contextlib.suppress(LoomError):
            self._tell_all()
        for run, descriptor in self._held.items():
            with contextlib.suppress(OSError):
                self._file(run).unlink()
            os.close(descriptor)
        self._held.clear()

    def _tell_all(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
            dropped, self._dropped = self._dropped, {}
        runs = {run.uuid: run for run in (*(one.run for one in waiting), *dropped.values())}
        for uuid, run in runs.items():
            mine = [one for one in waiting if one.run is run]
            gone = [action for action, its in dropped.items() if its is run]
            try:
                self._hold(uuid)
                self._tell(run, [one.action for one in mine], gone)
            except Exception as error:
                if not mine:
                    raise
                for one in mine:
                    one.error = error
            finally:
                for one in mine:
                    one.is_told = True

    def _hold(self, run: UUID) -> None:
        if self._doing is None or run in self._held:
            return
        try:
            self._doing.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._file(run), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise disk_full(self._doing) from error
            raise LoomError("CONFIG_INVALID", f"{self._doing} cannot be written: {error.strerror}") from error
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        self._held[run] = descriptor

    def _file(self, run: UUID) -> Path:
        return (self._doing or Path()) / str(run)
