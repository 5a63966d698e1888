"""Loom on this machine: its data folder, database, bus and operators, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.metadata import entry_points
from typing import Any, NamedTuple

from loom.bus.hub import Hub
from loom.bus.kept import KeptEvents
from loom.bus.sequence import StoredSequence
from loom.graph.specs import Catalogue, ConfigProblem, Operators, OperatorSpec
from loom.service.loom import LocalLoom
from loom.service.retention import forgetting
from loom.service.silence import ending_silent_runs
from loom.settings import DEFAULT_PIPELINE, LoomSettings, shipped
from loom.store.database import Database
from loom.store.databaselock import hold_database
from loom.store.datafolder import DataFolder
from loom.store.engines import parse_url, sqlite_path
from loom.store.homefolder import claim_files
from loom.store.scratch import RESTORING, sweep

_EVENTS = "events"
"""The file of the data folder that keeps the newest events for the next process."""

_NUMBERS = "events.numbers"
"""Beside it: how far their numbers have come."""


class Local(NamedTuple):
    """A Loom in this process. `folder` is None when it was opened only to be looked at."""

    loom: LocalLoom
    hub: Hub
    operators: Operators
    database: Database
    folder: DataFolder | None


class FromWorkers:
    """The operators that workers have announced, as the database has them now."""

    def __init__(self) -> None:
        self.source: Callable[[], Iterable[OperatorSpec]] = tuple

    def _now(self) -> Operators:
        from loom.graph.announced import Announced

        return Announced(self.source())

    def ids(self) -> Iterable[str]:
        return self._now().ids()

    def spec(self, operator: str) -> OperatorSpec | None:
        return self._now().spec(operator)

    def normalise(self, operator: str, config: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[ConfigProblem, ...]]:
        return self._now().normalise(operator, config)


def installed_operators() -> list[Operators]:
    """What the entry-point group `loom.catalogues` offers in this environment."""
    return [entry.load()() for entry in sorted(entry_points(group="loom.catalogues"))]


@contextmanager
def hold_loom(settings: LoomSettings) -> Iterator[Local]:
    """Takes hold of the data folder and of the database, and opens Loom for writing; a new one is given the default
    pipeline. Raises `DataFolderLocked`, `CONFIG_INVALID` when the derived files of this database lie in another data
    folder, and what the database has to say."""
    with ExitStack() as stack:
        folder = stack.enter_context(DataFolder.open(settings.data_dir))
        url = parse_url(settings.database_url)
        if url.get_backend_name() == "sqlite":
            stack.enter_context(hold_database(sqlite_path(url), settings.data_dir))
        sweep(settings.data_dir, RESTORING)
        database = Database.open(settings.database_url)
        stack.callback(database.close)
        claim_files(database, folder)
        hub = Hub(StoredSequence(database, settings.data_dir / _NUMBERS), kept=KeptEvents(settings.data_dir / _EVENTS))
        stack.callback(hub.close)
        local = _put_together(database, settings, hub, folder)
        _give_default_pipeline(local.loom)
        stack.enter_context(forgetting(local.loom, settings.keep_runs_days))
        stack.enter_context(ending_silent_runs(local.loom))
        yield local


@contextmanager
def look_at_loom(settings: LoomSettings, *, trace: bool = True, migrate: bool = True) -> Iterator[Local]:
    """Opens Loom only to be looked at; without `trace` not a byte changes on the disk, without `migrate` no database is
    made or brought up to date."""
    there = settings.data_dir.exists() or not settings.database_url.startswith("sqlite")
    if trace and there:
        database = Database.open(settings.database_url, migrate=migrate)
    else:
        database = Database.open_readonly(settings.database_url)
    try:
        yield _put_together(database, settings, Hub(), None)
    finally:
        database.close()


def _put_together(database: Database, settings: LoomSettings, hub: Hub, folder: DataFolder | None) -> Local:
    announced = FromWorkers()
    operators = Catalogue(*installed_operators(), announced)
    loom = LocalLoom(database, settings.data_dir / "blobs", hub, operators)
    announced.source = loom.announced
    return Local(loom, hub, operators, database, folder)


def default_definition() -> dict[str, Any]:
    """The definition of the pipeline that a new Loom is given."""
    from loom.graph.definition import loads

    return loads(shipped(f"pipelines/{DEFAULT_PIPELINE}.yaml"), "yaml").document()


def _give_default_pipeline(loom: LocalLoom) -> None:
    """Once: a pipeline that was deleted does not come back."""
    if loom.never_had_pipelines():
        loom.save_pipeline(default_definition())
