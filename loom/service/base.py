"""What every part of the service holds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from uuid import UUID

from loom.bus.live import Live
from loom.errors import LoomError
from loom.events import NO_RUN, ActionEvent, DuplicateEvent, RunEvent, RunHead
from loom.graph.specs import Operators
from loom.model import AssetCounts
from loom.service.dryruns import DryRuns
from loom.service.inhand import InHand
from loom.service.knownprocesses import KnownProcesses
from loom.shapes import RunShape
from loom.steering import Selection
from loom.store import runlist, steering
from loom.store.artifacts import ArtifactFiles
from loom.store.database import Database
from loom.store.flow import Flows
from loom.store.similar import Similar
from loom.store.vectorindex import VectorIndex
from loom.verbs import Bus


class LiveBus(Bus, Protocol):
    """A bus that knows how far the runs are that it is told of."""

    def live(self) -> list[Live]: ...


class Holding:
    """The database, the folder of derived files, the bus, and the operators that definitions are checked against."""

    def __init__(self, database: Database, blobs: Path, bus: LiveBus, operators: Operators) -> None:
        self._database = database
        self._files = ArtifactFiles(blobs)
        self._bus = bus
        self._operators = operators
        self._dry_runs = DryRuns()
        self._in_hand = InHand()
        self._processes = KnownProcesses()
        self._flows = Flows()
        self._similar = Similar()
        self._vectors = VectorIndex()
        self._beats: dict[str, int] = {}
        """When each worker was last written down as alive."""

    def _going(self) -> dict[UUID, runlist.Heard]:
        """What was heard of the runs that go on now."""
        return {
            live.run.uuid: runlist.Heard(live.heard, live.progress)
            for live in self._bus.live()
            if live.progress is not None
        }

    def _shown(self, run: UUID) -> RunShape:
        """Raises `NOT_FOUND`."""
        going = self._going()
        if (dry := self._dry_runs.shape(run, going)) is not None:
            return dry
        with self._database.read() as connection:
            return runlist.one(connection, run, going)

    def _refuse_dry_run(self, selection: Selection) -> None:
        """Raises `REQUEST_INVALID` for the failures of a dry run."""
        if selection.run is not None and selection.run in self._dry_runs:
            raise LoomError("REQUEST_INVALID", "A dry run has stored no failures: there is nothing to try again.")

    def _tell(
        self, run: UUID, pipeline: str, status: str, assets: AssetCounts | None = None, *, dry_run: bool = False
    ) -> None:
        """Publishes what became of a run. All of it for a dry run, whose worker keeps its events to itself; of others
        their worker tells when they begin and end."""
        if dry_run:
            pauses = self._dry_runs.pauses(run)
        else:
            with self._database.read() as connection:
                pauses = steering.pauses_of(connection, [run]).get(run, [])
        self._bus.publish(RunHead(run, pipeline, dry_run), [RunEvent(now_us(), status, assets, tuple(pauses))])

    def _tell_of_groups(self, events: Sequence[DuplicateEvent]) -> None:
        if events:
            self._bus.publish(NO_RUN, events)

    def _tell_of_actions(self, head: RunHead, events: Sequence[ActionEvent]) -> None:
        if events:
            self._bus.publish(head, events)

    def _tell_going_on(self, revived: Sequence[UUID]) -> None:
        """Runs that were taken for abandoned go on."""
        for run in revived:
            self._tell(run, self._shown(run).pipeline, "STARTED")


def now_us() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000
