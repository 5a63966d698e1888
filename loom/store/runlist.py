"""Runs as they are shown: those that have begun, and those that wait for a worker, as one list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Select, and_, exists, func, or_, select

from loom.errors import LoomError, is_retryable
from loom.events import Progress
from loom.model import AssetCounts, NodeCounts, RunState
from loom.shapes import ErrorShape, Page, PauseShape, RequestShape, RunShape
from loom.steering import Pause, RunRequest
from loom.store import counting, problems, spending, steering
from loom.store.tables import outcomes, pipeline_versions, pipelines, run_requests, runs, workers
from loom.store.values import (
    CANCELLED,
    CLAIMED,
    ENDED,
    QUEUED,
    RUN_STATES,
    clean,
    cut_page,
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
_GOES_ON = (RunState.QUEUED, RunState.RUNNING)
_WAITING = {QUEUED: RunState.QUEUED, CLAIMED: RunState.RUNNING, ENDED: RunState.FAILED, CANCELLED: RunState.CANCELLED}


class Listed(NamedTuple):
    place: Place
    shape: RunShape


class Heard(NamedTuple):
    """What the worker of a run last said of it, and when (microseconds since 1970)."""

    at: int
    progress: Progress


Going = Mapping[UUID, Heard]


def one(connection: Connection, uuid: UUID, going: Going) -> RunShape:
    """A run with all that is known of its counts: of one that goes on from what was heard of it, and where that is not
    known from what it has stored. Raises `NOT_FOUND`."""
    row = connection.execute(_begun().where(runs.c.uuid == uuid.bytes)).first()
    if row is not None:
        listed = _listed(connection, row, going)
        if _is_uncounted(row, listed.shape, going):
            found = counting.counted(connection, row.id)
            counts = {"assets": found.assets, "nodes": found.nodes, "bytes": found.bytes_read}
            listed = listed._replace(shape=msgspec.structs.replace(listed.shape, **counts))
        if listed.shape.state is RunState.RUNNING:
            spent = spending.spent_until_now(connection, row.id)
            listed = listed._replace(shape=msgspec.structs.replace(listed.shape, spent=spent))
        return _with_pauses(connection, [listed])[0]
    row = connection.execute(select(run_requests).where(run_requests.c.uuid == uuid.bytes)).first()
    if row is not None:
        return _with_pauses(connection, [_waiting(row)])[0]
    raise LoomError("NOT_FOUND", f"There is no run {uuid}.")


def newest(connection: Connection) -> int:
    """The number of the newest run."""
    return connection.execute(select(func.max(runs.c.id))).scalar() or 0


def page(
    connection: Connection,
    pipeline: str | None,
    limit: int,
    cursor: str | None,
    going: Going,
    kept: Iterable[Listed] = (),
) -> Page[RunShape]:
    """Runs, the newest first; among them those of `kept`, which are not in the database. Where nothing is known of a
    run's counts but what it has stored, assets are counted, and not what became of them at each node."""
    before = key_of_cursor(cursor, int, int, int)
    most = page_size(limit) + 1
    found = [
        *_page_of_begun(connection, pipeline, most, before, going),
        *_page_of_waiting(connection, pipeline, most, before),
    ]
    found += [one for one in kept if before is None or one.place < before]
    found.sort(key=lambda one: one.place, reverse=True)
    shown, following = cut_page(found, limit, lambda one: one.place)
    return Page(items=_with_pauses(connection, shown), next=following)


def request_shape(request: RunRequest) -> RequestShape:
    return RequestShape(
        paths=[shown_path(path) for path in request.paths[:SHOWN]],
        globs=list(request.globs),
        assets=list(request.assets[:SHOWN]),
        filter=request.query,
        recompute=sorted(request.recompute),
        host=request.host,
        source=request.source,
        total_paths=len(request.paths),
        total_assets=len(request.assets),
    )


def pause_shape(pause: Pause) -> PauseShape:
    return PauseShape(owner=pause.owner, reason=pause.reason, depth=pause.depth.word, since=iso(pause.since))


def _page_of_begun(
    connection: Connection, pipeline: str | None, most: int, before: tuple[Any, ...] | None, going: Going
) -> Iterable[Listed]:
    statement = _begun().order_by(runs.c.id.desc()).limit(most)
    if pipeline is not None:
        statement = statement.where(pipelines.c.name == clean(pipeline))
    if before is not None:
        last = before[0] if before[1:] > (BEGUN, 0) else before[0] - 1
        statement = statement.where(runs.c.id <= last)
    found = [(row, _listed(connection, row, going)) for row in connection.execute(statement).all()]
    return [
        listed._replace(
            shape=msgspec.structs.replace(listed.shape, assets=counting.quickly_counted(connection, row.id))
        )
        if _is_uncounted(row, listed.shape, going)
        else listed
        for row, listed in found
    ]


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
        if one.shape.uuid in found and one.shape.state in _GOES_ON
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
            exists().where(outcomes.c.run == runs.c.id).label("has_outcomes"),
        )
        .join(pipeline_versions, pipeline_versions.c.id == runs.c.version)
        .join(pipelines, pipelines.c.id == pipeline_versions.c.pipeline)
        .join(workers, workers.c.id == runs.c.worker)
        .outerjoin(run_requests, at.uuid == runs.c.uuid)
    )  # fmt: skip


def _is_uncounted(row: Row[Any], shape: RunShape, going: Going) -> bool:
    """Whether what a run has stored says more of its counts than anybody else."""
    if not row.has_outcomes:
        return False
    return shape.assets == AssetCounts() or (shape.state in _GOES_ON and _heard(row, shape, going) is None)


def _heard(row: Row[Any], shape: RunShape, going: Going) -> Progress | None:
    """What was heard of a run that goes on, by whoever has it now."""
    heard = going.get(shape.uuid) if shape.state is RunState.RUNNING else None
    return None if heard is None or heard.at < (row.gone_on or 0) else heard.progress


def with_progress(shape: RunShape, progress: Progress) -> RunShape:
    """What its worker says, and what was counted before it went on with the run."""
    nodes = {name: counting.added(shape.nodes.get(name, NodeCounts()), told) for name, told in progress.nodes.items()}
    assets = counting.added(shape.assets, progress.assets)
    return msgspec.structs.replace(shape, assets=assets, nodes=nodes, bytes=shape.bytes + progress.bytes_read)


def _listed(connection: Connection, row: Row[Any], going: Going) -> Listed:
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
        problems=row.problems,
        spent=spending.read(row.spent),
    )
    if (progress := _heard(row, shape, going)) is not None:
        shape = with_progress(shape, progress)
    elif state is RunState.FAILED and shape.error is None and row.problems:
        shape = msgspec.structs.replace(shape, error=problems.first_error(connection, row.id))
    elif (
        state not in _GOES_ON
        and not row.has_outcomes
        and any(counts != NodeCounts() for counts in shape.nodes.values())
    ):
        shape = msgspec.structs.replace(shape, forgotten=True)
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
