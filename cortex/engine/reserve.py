"""A run stands still before the disk is full."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from loom.errors import LoomError
from loom.model import Depth, Pause
from loom.steering import DISK
from loom.verbs import Steering

LOOK_S = 2.0
AGAIN = 1.1
"""The run goes on once there is so many times the reserve, so that it does not go to and fro."""


class Reserve:
    """Pauses runs under the name `disk` as long as less than `least` bytes are free where results are written."""

    def __init__(
        self,
        steering: Steering,
        folder: Path,
        least: int,
        free: Callable[[Path], int] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._steering = steering
        self._folder = folder
        self._least = least
        self._free = free or free_bytes
        self._now = now
        self._next = 0.0
        self._paused: set[UUID] = set()

    def look(self, runs: Sequence[UUID]) -> None:
        """Every two seconds, however often it is called."""
        if not self._least or self._now() < self._next:
            return
        self._next = self._now() + LOOK_S
        with suppress(OSError):  # a folder that cannot be asked about is no reason to stand still
            free = self._free(self._folder)
            if free < self._least:
                self._pause([run for run in runs if run not in self._paused], free)
            elif free >= self._least * AGAIN:
                self.lift()

    def lift(self) -> None:
        """Also at the end of an ingest that goes on elsewhere: there may be room there."""
        for run in tuple(self._paused):
            with suppress(LoomError):  # it has ended
                self._steering.resume_run(run, DISK)
            self._paused.discard(run)

    def _pause(self, runs: Sequence[UUID], free: int) -> None:
        reason = f"only {free >> 20:,} MB are free at {self._folder}; {self._least >> 20:,} MB are to be left"
        for run in runs:
            with suppress(LoomError):
                pause = Pause(owner=DISK, reason=reason, depth=Depth.NEW, since=time.time_ns() // 1000)
                self._steering.pause_run(run, pause)
                self._paused.add(run)


def free_bytes(folder: Path) -> int:
    """Where the folder is, or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
