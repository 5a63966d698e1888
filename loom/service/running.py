"""Runs and their failures."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from loom.errors import LoomError
from loom.model import RunClosing, RunOpening, RunState, State
from loom.problems import FailureShape, ProblemShape
from loom.service.base import Holding, now_us
from loom.service.definitions import checked
from loom.shapes import FlowShape, GridShape, Page, ResultShape, RunShape
from loom.steering import EVERY_FAILURE, Place, Selection
from loom.store import failures, flow, forgetting, grid, outcomes, problems, runlist, runs
from loom.verbs import PAGE

NOTHING: Page[Any] = Page(items=[])
"""Of a run of which nothing is stored: a dry run, or one that waits for a worker."""


class LocalRuns(Holding):
    """See `loom.verbs.Runs`."""

    def open_run(self, opening: RunOpening) -> None:
        """Raises `NOT_FOUND` for a version that is not stored, `DEFINITION_INVALID` for a definition that could not be
        saved either, `REQUEST_INVALID` for a dry run, and for a definition beside a stored version or of another
        name."""
        if opening.dry_run and opening.uuid in self._dry_runs:
            self._dry_runs.open(opening.uuid, opening.worker.name, opening.started)
            return
        if opening.dry_run:
            raise LoomError("REQUEST_INVALID", "A dry run leaves nothing in the database.")
        if (opening.definition is None) is (opening.version == 0):
            raise LoomError("REQUEST_INVALID", "A run has the version of a stored pipeline, or 0 and a definition.")
        if opening.definition is not None:
            opening = self._with_checked_definition(opening, opening.definition)
        with self._database.write() as connection:
            runs.open_run(connection, opening, now_us())

    def _with_checked_definition(self, opening: RunOpening, definition: dict[str, Any]) -> RunOpening:
        document = checked(definition, self._operators)
        if document["name"] != opening.pipeline:
            raise LoomError("REQUEST_INVALID", "The definition has another name than the run's pipeline.")
        return msgspec.structs.replace(opening, definition=document)

    def finish_run(self, closing: RunClosing) -> None:
        """Raises `REQUEST_INVALID` for a state that is no end."""
        if closing.state in (RunState.QUEUED, RunState.RUNNING):
            raise LoomError("REQUEST_INVALID", "A run does not end as queued or running.")
        if closing.uuid in self._dry_runs:
            state = self._dry_runs.finish(closing)
            if state is not None:
                self._tell(closing.uuid, self._dry_runs.pipeline(closing.uuid), state, closing.assets, dry_run=True)
            return
        with self._database.write() as connection:
            runs.finish(connection, closing)

    def end_abandoned_runs(self, host: str) -> int:
        """Ends runs of this host that were never finished, as FAILED or, if somebody wanted that, as CANCELLED; returns
        how many. For the holder of the data
        folder before it begins. A worker over HTTP may still have one of them: it goes on once that is heard of."""
        with self._database.write() as connection:
            ended = runs.end_abandoned(connection, host, now_us())
        return self._tell_given_up(ended)

    def end_silent_runs(self, silent_us: int) -> int:
        """The same of runs of any host whose caller, which executes them itself, was not heard of for so long: neither
        a report nor a question for orders, nor progress on the bus."""
        now = now_us()
        since = now - silent_us
        heard = {live.run.uuid for live in self._bus.live() if live.heard >= since}
        with self._database.read() as connection:
            silent = [run for run in runs.silent(connection, since) if run not in heard]
        if not silent:
            return 0
        with self._database.write() as connection:
            ended = runs.end_silent(connection, silent, since, now)
        return self._tell_given_up(ended)

    def _tell_given_up(self, ended: dict[UUID, runs.GivenUp]) -> int:
        for uuid, one in ended.items():
            self._tell(uuid, one.pipeline, one.state)
        return len(ended)

    def run(self, uuid: UUID) -> RunShape:
        return self._shown(uuid)

    def runs(self, *, pipeline: str | None = None, limit: int = PAGE, cursor: str | None = None) -> Page[RunShape]:
        going = self._going()
        with self._database.read() as connection:
            return runlist.page(connection, pipeline, limit, cursor, going, self._dry_runs.listed(pipeline, going))

    def run_results(
        self,
        uuid: UUID,
        *,
        state: State | None = None,
        node: str | None = None,
        limit: int = PAGE,
        cursor: str | None = None,
    ) -> Page[ResultShape]:
        if uuid in self._dry_runs:
            return NOTHING
        with self._database.read() as connection:
            number = runs.begun(connection, uuid)
            return NOTHING if number is None else outcomes.page(connection, number, state, node, limit, cursor)

    def run_problems(self, uuid: UUID, *, limit: int = PAGE, cursor: str | None = None) -> Page[ProblemShape]:
        if uuid in self._dry_runs:
            return problems.page_of(self._dry_runs.problems(uuid), limit, cursor)
        with self._database.read() as connection:
            number = runs.begun(connection, uuid)
            return NOTHING if number is None else problems.page(connection, number, limit, cursor)

    def run_flow(self, uuid: UUID) -> FlowShape:
        if uuid in self._dry_runs:
            return flow.of_counts(self._shown(uuid).nodes)
        with self._database.read() as connection:
            number = runs.begun(connection, uuid)
            return FlowShape(nodes={}) if number is None else self._flows.of_run(connection, number, self._parting)

    def _parting(self, definition: str) -> dict[str, frozenset[str]]:
        from loom.graph.parting import parting

        return parting(msgspec.json.decode(definition), self._operators)

    def run_grid(self, uuid: UUID, *, offset: int = 0, limit: int = PAGE) -> GridShape:
        if uuid in self._dry_runs:
            return GridShape(run=uuid, total=0, offset=offset, nodes=list(self._shown(uuid).nodes), rows=[])
        with self._database.read() as connection:
            if runs.begun(connection, uuid) is None:
                return GridShape(run=uuid, total=0, offset=offset, nodes=[], rows=[])
            return grid.grid(connection, uuid, offset, limit)

    def failures(self, selection: Selection = EVERY_FAILURE) -> list[FailureShape]:
        if selection.run is not None and selection.run in self._dry_runs:
            return []
        with self._database.read() as connection:
            if selection.run is not None and runs.begun(connection, selection.run) is None:
                return []
            return failures.grouped(connection, selection)

    def failed_places(self, selection: Selection) -> list[Place]:
        self._refuse_dry_run(selection)
        with self._database.read() as connection:
            return forgetting.places(connection, selection)

    def forget(self, selection: Selection) -> list[Place]:
        self._refuse_dry_run(selection)
        found: dict[Place, None] = {}
        after: int | None = 0
        while after is not None:  # others may write in between
            with self._database.write() as connection:
                places, after = forgetting.forget_some(connection, selection, after)
            found.update(dict.fromkeys(places))
        return list(found)
