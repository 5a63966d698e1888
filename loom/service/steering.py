"""Runs asked for, handed to workers, paused, cancelled and tried again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import Connection

from loom.errors import LoomError
from loom.model import RunState
from loom.service.base import Holding, now_us
from loom.shapes import ForecastShape, KindCost, PipelineShape, RunShape
from loom.sources import SourceShape
from loom.steering import AssetQuery, Pause, Place, RunOrders, RunRequest, Selection
from loom.store import (
    costs,
    forecast,
    forgetting,
    limits,
    pipelines,
    requests,
    runlist,
    sources,
    steering,
    takeover,
    workers,
)
from loom.store.requests import LEASE_US
from loom.store.values import CLAIMED, QUEUED

_BEAT_US = LEASE_US // 3
_MOST_BEATS = 1000


class LocalSteering(Holding):
    """See `loom.verbs.Steering`."""

    def request_run(self, request: RunRequest) -> RunShape:
        with self._database.write() as connection:
            asked = (
                request if request.source is None else _over_source(request, sources.one(connection, request.source))
            )
            made = _checked(asked, _enabled(_pipeline(connection, request.pipeline, request.version)))
            if made.dry_run:
                is_new = self._dry_runs.add(made, runlist.newest(connection))
            else:
                is_new = requests.add(connection, made)
        if is_new:
            self._tell(made.uuid, made.pipeline, "QUEUED", dry_run=made.dry_run)
        return self._shown(made.uuid)

    def claim_run(self, worker: str, host: str) -> RunRequest | None:
        self._beat(worker, host)
        now = now_us()
        if (dry := self._dry_runs.claim(worker, host, now)) is not None:
            self._tell(dry.uuid, dry.pipeline, "STARTED", dry_run=True)
            return dry
        with self._database.read() as connection:
            if not requests.waits(connection, host, now):
                return None
        with self._database.write() as connection:
            over = [steering.standing(connection, uuid) for uuid in requests.cancelled_and_dead(connection, now)]
            for run in over:
                steering.end(connection, run.uuid, RunState.CANCELLED, now)
            claimed = requests.claim(connection, worker, host, now)
            if claimed is not None and claimed.walked:
                takeover.note(connection, claimed.uuid, now)
        for run in over:
            self._tell(run.uuid, run.pipeline, "CANCELLED")
        return claimed

    def orders(self, worker: str, runs: Sequence[UUID]) -> list[RunOrders]:
        now = now_us()
        self._beat(worker, None)
        kept = {uuid: dry for uuid in runs if (dry := self._dry_runs.orders(worker, uuid, now)) is not None}
        stored = [uuid for uuid in runs if uuid not in kept]
        with self._database.read() as connection:
            told, due = steering.orders(connection, worker, stored, now)
            in_force = limits.in_force(connection)
        if due:
            with self._database.write() as connection:
                revived = steering.hear(connection, worker, due, now)
            self._tell_going_on(revived)
        kept |= {one.run: one for one in told}
        return [msgspec.structs.replace(kept[uuid], limits=in_force) for uuid in runs]

    def release_run(self, run: UUID, worker: str, error: LoomError | None = None) -> None:
        now = now_us()
        if run in self._dry_runs:
            if (state := self._dry_runs.release(run, worker, error, now)) is not None:
                self._tell(run, self._dry_runs.pipeline(run), state, dry_run=True)
            return
        with self._database.write() as connection:
            at = steering.standing(connection, run)
            if at.asked == QUEUED or at.has_ended:
                return
            requests.check_claim(connection, run, worker)
            if at.asked != CLAIMED:
                raise LoomError("REQUEST_INVALID", "A run that its caller executes itself is not released.")
            given_back = RunState.QUEUED if error is None else RunState.FAILED
            state = RunState.CANCELLED if at.cancelled else given_back
            if state is RunState.QUEUED:
                requests.give_back(connection, run)
            else:
                steering.end(connection, run, state, now, error)
        self._tell(run, at.pipeline, state)

    def pause_run(self, run: UUID, pause: Pause) -> RunShape:
        if run in self._dry_runs:
            self._dry_runs.pause(run, pause)
            pipeline = self._dry_runs.pipeline(run)
        else:
            with self._database.write() as connection:
                pipeline = _going_on(steering.standing(connection, run)).pipeline
                steering.pause(connection, run, pause)
        self._tell(run, pipeline, "PAUSED", dry_run=run in self._dry_runs)
        return self._shown(run)

    def resume_run(self, run: UUID, owner: str) -> RunShape:
        if run in self._dry_runs:
            lifted = self._dry_runs.resume(run, owner)
            pipeline = self._dry_runs.pipeline(run)
        else:
            with self._database.write() as connection:
                pipeline = _going_on(steering.standing(connection, run)).pipeline
                lifted = steering.resume(connection, run, owner)
        if lifted:
            self._tell(run, pipeline, "RESUMED", dry_run=run in self._dry_runs)
        return self._shown(run)

    def cancel_run(self, run: UUID) -> RunShape:
        now = now_us()
        if run in self._dry_runs:
            if self._dry_runs.cancel(run, now):
                self._tell(run, self._dry_runs.pipeline(run), "CANCELLED", dry_run=True)
            return self._shown(run)
        with self._database.write() as connection:
            at = steering.standing(connection, run)
            ends = not at.was_cancelled and not _going_on(at).lives(now)
            steering.cancel(connection, run, now)
            if ends:
                steering.end(connection, run, RunState.CANCELLED, now)
        if ends:
            self._tell(run, at.pipeline, "CANCELLED")
        return self._shown(run)

    def forecast(self, pipeline: str, query: AssetQuery, definition: Mapping[str, Any] | None = None) -> ForecastShape:
        from loom.graph.compiler import compile_definition
        from loom.graph.diagnostics import DefinitionError

        with self._database.read() as connection:
            version = 0
            if definition is None:
                shape = pipelines.current(connection, pipeline)
                version, definition = shape.version, shape.definition
            compiled = compile_definition(definition, self._operators)
            if compiled.plan is None:
                raise DefinitionError(compiled.diagnostics)
            found = forecast.forecast(connection, compiled.plan, query)
        return ForecastShape(
            pipeline=pipeline,
            version=version,
            assets=found.assets,
            nodes=found.nodes,
            seconds=sum(node.seconds or 0.0 for node in found.nodes),
        )

    def costs(self, pipeline: str) -> list[KindCost]:
        with self._database.read() as connection:
            return costs.costs(connection, pipeline)

    def retry(self, selection: Selection) -> list[RunShape]:
        self._refuse_dry_run(selection)
        now = now_us()
        made = []
        with self._database.write() as connection:
            for (name, host), paths in _by_pipeline(forgetting.forget(connection, selection)).items():
                number = _enabled(_newest(connection, name)).version
                request = RunRequest(
                    uuid=uuid4(), pipeline=name, version=number, queued=now, paths=tuple(paths), host=host
                )
                requests.add(connection, request)
                made.append(request)
        for request in made:
            self._tell(request.uuid, request.pipeline, "QUEUED")
        return [self._shown(request.uuid) for request in made]

    def set_aside(self, selection: Selection) -> int:
        self._refuse_dry_run(selection)
        with self._database.write() as connection:
            return forgetting.set_aside(connection, selection, now_us())

    def _beat(self, worker: str, host: str | None) -> None:
        """Writes down that a worker is there, not too often."""
        now = now_us()
        if now - self._beats.get(worker, 0) < _BEAT_US:
            return
        with self._database.write() as connection:
            workers.beat(connection, worker, host, now)
        self._beats.pop(worker, None)
        self._beats[worker] = now
        if len(self._beats) > _MOST_BEATS:
            del self._beats[next(iter(self._beats))]


def _pipeline(connection: Connection, name: str, number: int) -> PipelineShape:
    """Raises `NOT_FOUND`."""
    return pipelines.version(connection, name, number) if number else pipelines.current(connection, name)


def _newest(connection: Connection, name: str) -> PipelineShape:
    """The current version, or (of a pipeline that is not stored, or no longer) the newest that is kept."""
    try:
        return pipelines.current(connection, name)
    except LoomError as error:
        number = steering.newest_version(connection, name)
        if error.code != "NOT_FOUND" or number is None:
            raise
        return pipelines.version(connection, name, number)


def _enabled(pipeline: PipelineShape) -> PipelineShape:
    if not pipeline.enabled:
        raise LoomError("PIPELINE_DISABLED", f"The pipeline {pipeline.name!r} is disabled.")
    return pipeline


def _over_source(request: RunRequest, shape: SourceShape) -> RunRequest:
    """With the folder and the host of its source."""
    source = shape.source()
    if request.host not in (None, source.host):
        raise LoomError("REQUEST_INVALID", f"The source {source.name!r} lies on {source.host!r}.")
    if request.paths or request.globs or request.assets or request.query is not None:
        raise LoomError("REQUEST_INVALID", "A run over a source goes over nothing else: it has the source's options.")
    return msgspec.structs.replace(request, paths=(source.path,), host=source.host)


def _checked(request: RunRequest, pipeline: PipelineShape) -> RunRequest:
    """The request as it is kept."""
    if not (request.paths or request.globs or request.assets or request.query is not None):
        raise LoomError("USAGE", "A run goes over paths, globs, assets or a filter: none was given.")
    places = (*request.paths, *(glob.encode("utf-8", "surrogateescape") for glob in request.globs))
    if any(not place.startswith(b"/") or b"\0" in place for place in places):
        raise LoomError(
            "REQUEST_INVALID", "Paths and globs of a run begin with a slash: no worker knows where you are."
        )
    names = {node["id"] for node in pipeline.definition["graph"]["nodes"]} | {"*"}
    if strange := sorted(request.recompute - names):
        raise LoomError("REQUEST_INVALID", f"The pipeline has no node named {strange[0]!r} to recompute.")
    return msgspec.structs.replace(
        request,
        version=pipeline.version,
        queued=now_us(),
        dry_run=request.dry_run or pipeline.definition.get("dry_run", False),
        walked=False,
    )


def _by_pipeline(places: Sequence[Place]) -> dict[tuple[str, str], list[bytes]]:
    found: dict[tuple[str, str], list[bytes]] = {}
    for place in places:
        found.setdefault((place.pipeline, place.host), []).append(place.path)
    return found


def _going_on(run: steering.Standing) -> steering.Standing:
    if run.has_ended:
        raise LoomError("RUN_ENDED")
    return run
