"""Runs and their failures."""

from __future__ import annotations

from uuid import UUID

from loom.errors import LoomError
from loom.model import RunClosing, RunOpening, State
from loom.service.base import Holding, now_us
from loom.shapes import FailureShape, Page, ResultShape, RunShape
from loom.store import failures, outcomes, runs
from loom.verbs import EVERY_FAILURE, PAGE, Place, Selection


class LocalRuns(Holding):
    """See `loom.verbs.Runs`."""

    def open_run(self, opening: RunOpening) -> None:
        """Raises `NOT_FOUND` for a version that is not stored, `REQUEST_INVALID` for a dry run."""
        if opening.dry_run:
            raise LoomError("REQUEST_INVALID", "A dry run leaves nothing in the database.")
        with self._database.write() as connection:
            runs.open_run(connection, opening, now_us())

    def finish_run(self, closing: RunClosing) -> None:
        with self._database.write() as connection:
            runs.finish(connection, closing)

    def end_abandoned_runs(self, host: str) -> int:
        """Marks runs of this host that were never finished as FAILED; returns how many. Only for one who knows that
        none of them can still be going on, such as the holder of the data folder before it begins."""
        with self._database.write() as connection:
            return runs.end_abandoned(connection, host, now_us())

    def run(self, uuid: UUID) -> RunShape:
        with self._database.read() as connection:
            return runs.one(connection, uuid)

    def runs(self, *, pipeline: str | None = None, limit: int = PAGE, cursor: str | None = None) -> Page[RunShape]:
        with self._database.read() as connection:
            return runs.page(connection, pipeline, limit, cursor)

    def run_results(
        self,
        uuid: UUID,
        *,
        state: State | None = None,
        node: str | None = None,
        limit: int = PAGE,
        cursor: str | None = None,
    ) -> Page[ResultShape]:
        with self._database.read() as connection:
            number = runs.number_of(connection, uuid)
            return outcomes.page(connection, number, state, node, limit, cursor)

    def failures(self, selection: Selection = EVERY_FAILURE) -> list[FailureShape]:
        with self._database.read() as connection:
            return failures.grouped(connection, selection)

    def forget(self, selection: Selection) -> list[Place]:
        with self._database.write() as connection:
            return failures.forget(connection, selection)
