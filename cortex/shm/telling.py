"""Tells a Loom how a pipeline stands, about once a second."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from loom.errors import LoomError
from loom.processes import ProcessPipeline

EVERY_S = 1.0

log = logging.getLogger("cortex.shm")


class Listener(Protocol):
    """Who is told: a `LoomClient`, for one."""

    def report_process_pipeline(self, pipeline: ProcessPipeline) -> None: ...


class Teller:
    """A Loom that cannot be reached is tried again the next time, and complained of once."""

    def __init__(self, look: Callable[[], ProcessPipeline], listener: Listener) -> None:
        self._look = look
        self._listener = listener
        self._end = threading.Event()
        self._has_complained = False
        self._thread = threading.Thread(target=self._run, name="teller", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """After telling how it ended."""
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        self._tell()
        while not self._end.wait(EVERY_S):
            self._tell()
        self._tell()

    def _tell(self) -> None:
        try:
            self._listener.report_process_pipeline(self._look())
            self._has_complained = False
        except LoomError as error:
            if not self._has_complained:
                log.warning("Loom was not told of the pipeline: %s", error)
            self._has_complained = True
