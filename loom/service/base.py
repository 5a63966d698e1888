"""What every part of the service holds."""

from __future__ import annotations

import time
from pathlib import Path

from loom.graph.specs import Operators
from loom.service.dryruns import DryRuns
from loom.store.artifacts import ArtifactFiles
from loom.store.database import Database
from loom.verbs import Bus


class Holding:
    """The database, the folder of derived files, the bus, and the operators that definitions are checked against."""

    def __init__(self, database: Database, blobs: Path, bus: Bus, operators: Operators) -> None:
        self._database = database
        self._files = ArtifactFiles(blobs)
        self._bus = bus
        self._operators = operators
        self._dry_runs = DryRuns()
        self._beats: dict[str, int] = {}
        """When each worker was last written down as alive."""


def now_us() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000
