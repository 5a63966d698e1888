"""Counted events between processes: an `eventfd` counts, wakes and outlives whoever is killed (`man 2 eventfd`)."""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress
from multiprocessing import reduction
from typing import Any

from cortex.shm.errors import ShmError


class Event:
    """Open as long as it was signalled more often than it was reset. Can be handed to a process that is started."""

    def __init__(self, name: str, *, initial_state: bool = False) -> None:
        if not sys.platform.startswith("linux"):
            raise ShmError("Events of process pipelines need Linux.")
        flags = os.EFD_SEMAPHORE | os.EFD_NONBLOCK | os.EFD_CLOEXEC
        self.name = name
        self._descriptor = os.eventfd(int(initial_state), flags)

    def __getstate__(self) -> tuple[str, Any]:
        return self.name, reduction.DupFd(self._open())

    def __setstate__(self, state: tuple[str, Any]) -> None:
        self.name, handed = state
        self._descriptor = handed.detach()

    def __repr__(self) -> str:
        if self._descriptor < 0:
            return f"<Event {self.name!r}: given back>"
        return f"<Event {self.name!r}: {'OPEN' if self.is_open() else 'CLOSED'}, {self.pending} pending>"

    def signal(self) -> None:
        """Adds one activation and opens the event."""
        os.eventfd_write(self._open(), 1)

    def reset(self) -> bool:
        """Takes one activation away; whether there was one. The event closes with the last."""
        with suppress(BlockingIOError):
            os.eventfd_read(self._open())
            return True
        return False

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the event is open, at most `timeout` seconds; whether it is. Takes no activation."""
        poll = select.poll()
        poll.register(self._open(), select.POLLIN)
        return bool(poll.poll(None if timeout is None else max(timeout, 0.0) * 1000))

    def is_open(self) -> bool:
        return self.wait(0.0)

    @property
    def pending(self) -> int:
        """How many activations wait."""
        with open(f"/proc/self/fdinfo/{self._open()}", encoding="ascii") as lines:
            return next(int(line.split()[1], 16) for line in lines if line.startswith("eventfd-count:"))

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _open(self) -> int:
        if self._descriptor < 0:
            raise ShmError(f"The event {self.name!r} was given back.")
        return self._descriptor
