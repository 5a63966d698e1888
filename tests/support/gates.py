"""A place at which an ingest waits until the test lets it pass."""

from __future__ import annotations

import os
from collections.abc import Callable
from errno import ENXIO
from pathlib import Path

from programs import until


class Gate:
    """A pipe at which the ingest waits in the middle of its files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        self._descriptor = -1

    def reached(self, ended: Callable[[], object] = lambda: False) -> None:
        """Waits until a worker stands at the gate, or the ingest has `ended` without."""
        until(lambda: self._has_someone() or ended())

    def _has_someone(self) -> bool:
        try:
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != ENXIO:
                raise
            return False
        return True

    def open(self) -> None:
        """Lets all pass from now on."""
        self.path.unlink(missing_ok=True)
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
