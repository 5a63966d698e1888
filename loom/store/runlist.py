"""Runs as they are shown: those that have begun, and those that wait for a worker, as one list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Select, and_, func, or_, select

from loom.errors import LoomError, is_retryable
from loom.model import AssetCounts, NodeCounts, RunState
from loom.shapes import ErrorShape, Page, PauseShape, RequestShape, RunShape
from loom.steering import Pause, RunRequest
from loom.store import steering
from loom.store.tables import pipeline_versions, pipelines, run_requests, runs, workers
from loom.store.values import (
    CANCELLED,
    CLAIMED,
    ENDED,
    QUEUED,
    RUN_STATES,
    clean,
    cursor_of,
    iso,
    key_of_cursor,
    page_size,
    shown_path,
)

SHOWN = 100
"""Most paths, and most assets, of a request that are shown."""

Place = tuple[int, int, int]
"""Where a run stands in lists: the number of a run, and behind which of the things that came after it."""

BEGUN, WAITING, KEPT = range(3)
_WAITING = {QUEUED: RunState.QUEUED, CLAIMED: RunState.RUNNING, ENDED: RunState.FAILED, CANCELLED: RunState.CANCELLED}


class Listed(NamedTuple):
    place: Place
    shape: RunShape


def one(connection: Connection, uuid: UUID) -> RunShape:
    """Raises `NOT_FOUND`."""
    row = connection.execute(_begun().where(runs.c.uuid == uuid.bytes)).first()
    if row is not None:
        return _with_pauses(connection, [_listed(row)])[0]
    row = connection.execute(select(run_requests).where(run_requests.c.uuid == uuid.bytes)).first()
    if row is not None:
        return _with_pauses(connection, [_waiting(row)])[0]
    raise LoomError("NOT_FOUND", f"There is no run {uuid}.")


def newest(connection: Connection) -> int:
    """The number of the newest run."""
    return connection.execute(select(func.max(runs.c.id))).scalar() or 0


def page(
    connection: Connection, pipeline: str | None, limit: int, cursor: str | None, kept: Iterable[Listed] = ()
) -> Page[RunShape]:
    """Runs, the newest first; among them those of `kept`, which are not in the database."""
    before = key_of_cursor(cursor, int, int, int)
    most = page_size(limit) + 1
    found = [*_page_of_begun(connection, pipeline, most, before), *_page_of_waiting(connection, pipeline, most, before)]
    found += [one for one in kept if before is None or one.place < before]
    found.sort(key=lambda one: one.place, reverse=True)
    shown = found[: page_size(limit)]
    following = cursor_of(*shown[-1].place) if len(found) > len(shown) else None
    return Page(items=_with_pauses(connection, shown), next=following)


def request_shape(request: RunRequest) -> RequestShape:
    return RequestShape(
        paths=[shown_path(path) for path in request.paths[:SHOWN]],
        globs=list(request.globs),
        assets=list(request.assets[:SHOWN]),
        filter=request.query,
        recompute=sorted(request.recompute),
        host=request.host,
        total_paths=len(request.paths),
        total_assets=len(request.assets),
    )


def pause_shape(pause: Pause) -> PauseShape:
    return PauseShape(owner=pause.owner, reason=pause.reason, depth=pause.depth.word, since=iso(pause.since))


def _page_of_begun(
    connection: Connection, pipeline: str | None, most: int, before: tuple[Any, ...] | None
) -> Iterable[Listed]:
    statement = _begun().order_by(runs.c.id.desc()).limit(most)
    if pipeline is not None:
        statement = statement.where(pipelines.c.name == clean(pipeline))
    if before is not None:
        last = before[0] if before[1:] > (BEGUN, 0) else before[0] - 1
        statement = statement.where(runs.c.id <= last)
    return [_listed(row) for row in connection.execute(statement)]


def _page_of_waiting(
    connection: Connection, pipeline: str | None, most: int, before: tuple[Any, ...] | None
) -> Iterable[Listed]:
    at = run_requests.c
    statement = select(run_requests).where(at.opened == 0).order_by(at.after_run.desc(), at.id.desc()).limit(most)
    if pipeline is not None:
        statement = statement.where(at.pipeline == clean(pipeline))
    if before is not None:
        last = before[2] if before[1] == WAITING else 0 if before[1] < WAITING else None
        here = at.after_run == before[0] if last is None else and_(at.after_run == before[0], at.id < last)
        statement = statement.where(or_(at.after_run < before[0], here))
    return [_waiting(row) for row in connection.execute(statement)]


def _with_pauses(connection: Connection, shown: Sequence[Listed]) -> list[RunShape]:
    found = steering.pauses_of(connection, [one.shape.uuid for one in shown])
    return [
        msgspec.structs.replace(one.shape, paused=[pause_shape(pause) for pause in found[one.shape.uuid]])
        if one.shape.uuid in found
        else one.shape
        for one in shown
    ]


def _begun() -> Select[Any]:
    at = run_requests.c
    return (
        select(
            runs,
            pipelines.c.name.label("pipeline"),
            pipeline_versions.c.number,
            workers.c.name.label("worker_name"),
            at.document, at.queued, at.state.label("asked"), at.claimed_by, at.error_code, at.error_message,
        )
        .join(pipeline_versions, pipeline_versions.c.id == runs.c.version)
        .join(pipelines, pipelines.c.id == pipeline_versions.c.pipeline)
        .join(workers, workers.c.id == runs.c.worker)
        .outerjoin(run_requests, at.uuid == runs.c.uuid)
    )  # fmt: skip


def _listed(row: Row[Any]) -> Listed:
    state = RunState.QUEUED if row.asked == QUEUED and row.finished is None else RUN_STATES[row.state]
    shape = RunShape(
        uuid=UUID(bytes=row.uuid),
        pipeline=row.pipeline,
        version=row.number,
        state=state,
        dry_run=False,
        started=iso(row.started),
        finished=None if row.finished is None else iso(row.finished),
        assets=msgspec.json.decode(row.asset_counts, type=AssetCounts),
        nodes=msgspec.json.decode(row.node_counts, type=dict[str, NodeCounts]),
        bytes=row.bytes_read,
        paths=[shown_path(path) for path in row.paths.split(b"\0", SHOWN)[:SHOWN] if path],
        request=None if row.document is None else _request(row.document),
        worker=row.worker_name if row.asked is None else row.claimed_by,
        queued=None if row.queued is None else iso(row.queued),
        error=_error(row),
    )
    return Listed((row.id, BEGUN, 0), shape)


def _waiting(row: Row[Any]) -> Listed:
    request = msgspec.json.decode(row.document, type=RunRequest)
    shape = RunShape(
        uuid=UUID(bytes=row.uuid),
        pipeline=row.pipeline,
        version=row.version,
        state=_WAITING[row.state],
        dry_run=False,
        started=None,
        finished=None if row.ended is None else iso(row.ended),
        assets=AssetCounts(),
        nodes={},
        paths=[shown_path(path) for path in request.paths[:SHOWN]],
        request=request_shape(request),
        worker=row.claimed_by,
        queued=iso(row.queued),
        error=_error(row),
    )
    return Listed((row.after_run, WAITING, row.id), shape)


def _request(document: str) -> RequestShape:
    return request_shape(msgspec.json.decode(document, type=RunRequest))


def _error(row: Row[Any]) -> ErrorShape | None:
    code = row.error_code
    return (
        None if code is None else ErrorShape(code=code, message=row.error_message or "", retryable=is_retryable(code))
    )
