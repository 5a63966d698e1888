"""A watch as a process, and what its Loom has of the files."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from programs import Running, query, until

STATES = {0: "present", 1: "missing", 2: "unreachable"}
LOCATIONS = (
    "SELECT CAST(d.path AS TEXT) || '/' || CAST(l.name AS TEXT), l.state"
    " FROM locations l JOIN directories d ON d.id = l.directory"
)


class Watching:
    """A watch of the library, and what Loom has of it."""

    def __init__(self, running: Running, data: Path, library: Path) -> None:
        self.running = running
        self.data = data
        self.library = library

    def ask(self, statement: str) -> list[Any]:
        return query(self.data, statement)

    @property
    def states(self) -> dict[str, str]:
        """Of all locations, by path below the library."""
        return {os.path.relpath(path, self.library): STATES[state] for path, state in self.ask(LOCATIONS)}

    def has(self, name: str, state: str = "present") -> None:
        """Waits until Loom has the file so."""
        until(lambda: self.states.get(name) == state, 20)

    @property
    def runs(self) -> int:
        return int(self.ask("SELECT count(*) FROM runs")[0][0])

    def stop(self, number: int = signal.SIGTERM) -> Any:
        self.running.signal(number)
        return self.running.wait(20)
