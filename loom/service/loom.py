"""Loom in process: all verbs over one database, one folder of derived files and one bus."""

from __future__ import annotations

from pathlib import Path

from loom.graph.specs import Operators
from loom.service.base import LiveBus
from loom.service.definitions import LocalDefinitions
from loom.service.duplicates import LocalActions, LocalDuplicates
from loom.service.ledger import LocalLedger
from loom.service.library import LocalLibrary
from loom.service.offers import LocalBus, LocalWorkers
from loom.service.people import LocalPeople
from loom.service.processes import LocalProcesses
from loom.service.reading import LocalAssets
from loom.service.running import LocalRuns
from loom.service.sources import LocalLimits, LocalSources
from loom.service.steering import LocalSteering
from loom.service.upkeep import LocalUpkeep
from loom.store.database import Database


class LocalLoom(
    LocalDefinitions,
    LocalLedger,
    LocalRuns,
    LocalSteering,
    LocalAssets,
    LocalLibrary,
    LocalPeople,
    LocalProcesses,
    LocalWorkers,
    LocalSources,
    LocalLimits,
    LocalBus,
    LocalDuplicates,
    LocalActions,
    LocalUpkeep,
):
    """Satisfies `loom.verbs.Loom`. May be used by many threads. Closes the database that it was given."""

    def __init__(self, database: Database, blobs: Path, bus: LiveBus, operators: Operators) -> None:
        super().__init__(database, blobs, bus, operators)
        if not database.readonly:
            self._files.sweep()

    def close(self) -> None:
        self._database.close()
