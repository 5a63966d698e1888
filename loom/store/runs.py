"""Runs: opened, finished, listed; and what a run needs for storing its results."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Select, bindparam, select, update

from loom.errors import LoomError
from loom.model import AssetCounts, NodeCounts, RunClosing, RunOpening, RunState, StepRef
from loom.shapes import Page, RunShape
from loom.store import workers
from loom.store.pipelines import record
from loom.store.statements import compiled, fetch, insert
from loom.store.tables import nodes, pipeline_versions, pipelines, plans, runs, signatures, step_lists, steps
from loom.store.values import (
    RUN_STATES,
    RUNNING,
    clean,
    cursor_of,
    iso,
    key_of,
    key_of_cursor,
    page_size,
    shown_path,
    to_json,
)


class StepRow(NamedTuple):
    """A step of a run by the numbers that it has in the database."""

    signature: int
    digest: bytes
    node_id: int
    node: str
    operator: str
    operator_version: str


class OpenRun(NamedTuple):
    """What is needed to store what a run reports. `plan` is what its assets are settled under."""

    id: int
    host: str
    state: int
    plan: int
    steps: list[StepRow]


def open_run(connection: Connection, opening: RunOpening, now: int) -> None:
    """Begins a run; nothing happens when it is there already. Raises `NOT_FOUND` when its version of the pipeline is
    not stored; a definition that comes with the opening is kept for the run."""
    number = opening.version
    if opening.definition is not None:
        number = record(connection, opening.definition, now)
    version = connection.execute(
        select(pipeline_versions.c.id)
        .join(pipelines, pipelines.c.id == pipeline_versions.c.pipeline)
        .where(pipelines.c.name == opening.pipeline, pipeline_versions.c.number == number)
    ).scalar()
    if version is None:
        raise LoomError("NOT_FOUND", f"There is no version {number} of a pipeline named {opening.pipeline!r}.")
    row = (
        opening.uuid.bytes,
        version,
        workers.ensure(connection, opening.worker, opening.host, now),
        clean(opening.host),
        _plan(connection, opening.plan),
        _plan(connection, opening.settles or opening.plan),
        _step_list(connection, opening.steps),
        RUNNING,
        opening.started,
        None,
        to_json(AssetCounts()),
        to_json({step.node: NodeCounts() for step in opening.steps}),
        0,
        b"\0".join(opening.paths),
    )
    insert(connection, runs, [row])


def finish(connection: Connection, closing: RunClosing) -> None:
    """Ends a run. Raises `NOT_FOUND`."""
    number = number_of(connection, closing.uuid)
    connection.execute(
        update(runs)
        .where(runs.c.id == number)
        .values(
            state=RUN_STATES.index(closing.state),
            finished=closing.finished,
            asset_counts=to_json(closing.assets),
            node_counts=to_json(closing.nodes),
            bytes_read=closing.bytes_read,
        )
    )


def end_abandoned(connection: Connection, host: str, now: int) -> int:
    """Runs of this host that were never finished are marked FAILED; returns how many. Only for one who knows that
    none of them can still be going on."""
    statement = (
        update(runs)
        .where(runs.c.host == clean(host), runs.c.state == RUNNING)
        .values(state=RUN_STATES.index(RunState.FAILED), finished=now)
    )
    return connection.execute(statement).rowcount


def number_of(connection: Connection, uuid: UUID) -> int:
    """The number of the run; raises `NOT_FOUND`."""
    number = connection.execute(select(runs.c.id).where(runs.c.uuid == uuid.bytes)).scalar()
    if number is None:
        raise LoomError("NOT_FOUND", f"There is no run {uuid}.")
    return int(number)


def for_storing(connection: Connection, uuid: UUID) -> OpenRun:
    """Raises `NOT_FOUND`."""
    rows = fetch(connection, compiled(connection, _storing), (uuid.bytes,))
    if not rows:
        raise LoomError("NOT_FOUND", f"There is no run {uuid}.")
    number, host, state, settles, step_list = rows[0]
    return OpenRun(number, host, state, settles, steps_of(connection, step_list))


def steps_of(connection: Connection, step_list: int) -> list[StepRow]:
    """The steps in the order in which outcomes are packed."""
    return [StepRow(*row) for row in fetch(connection, compiled(connection, _steps_of), (step_list,))]


def one(connection: Connection, uuid: UUID) -> RunShape:
    """Raises `NOT_FOUND`."""
    row = connection.execute(_listed().where(runs.c.uuid == uuid.bytes)).first()
    if row is None:
        raise LoomError("NOT_FOUND", f"There is no run {uuid}.")
    return _shape(row)


def page(connection: Connection, pipeline: str | None, limit: int, cursor: str | None) -> Page[RunShape]:
    """Runs, the newest first."""
    statement = _listed().order_by(runs.c.id.desc()).limit(page_size(limit) + 1)
    if pipeline is not None:
        statement = statement.where(pipelines.c.name == pipeline)
    if (before := key_of_cursor(cursor, int)) is not None:
        statement = statement.where(runs.c.id < before[0])
    rows = connection.execute(statement).all()
    shown = rows[: page_size(limit)]
    following = cursor_of(shown[-1].id) if len(rows) > len(shown) else None
    return Page(items=[_shape(row) for row in shown], next=following)


def _plan(connection: Connection, digest: bytes) -> int:
    insert(connection, plans, [(digest,)])
    return int(connection.execute(select(plans.c.id).where(plans.c.digest == digest)).scalar_one())


def _step_list(connection: Connection, refs: tuple[StepRef, ...]) -> int:
    """The number of exactly this list of steps."""
    digest = key_of(*(part for step in refs for part in (step.node.encode("utf-8"), step.signature)))
    insert(connection, step_lists, [(digest,)])
    number = int(connection.execute(select(step_lists.c.id).where(step_lists.c.digest == digest)).scalar_one())
    insert(connection, nodes, [(name,) for name in sorted({step.node for step in refs})])
    insert(connection, signatures, sorted({(s.signature, s.operator, s.operator_version) for s in refs}))
    node_ids = dict(
        connection.execute(select(nodes.c.name, nodes.c.id).where(nodes.c.name.in_([s.node for s in refs]))).all()
    )
    signature_ids = dict(
        connection.execute(
            select(signatures.c.digest, signatures.c.id).where(signatures.c.digest.in_([s.signature for s in refs]))
        ).all()
    )
    rows = [(number, at, node_ids[s.node], signature_ids[s.signature]) for at, s in enumerate(refs)]
    insert(connection, steps, rows)
    return number


def _storing() -> Select[Any]:
    return select(runs.c.id, runs.c.host, runs.c.state, runs.c.settles, runs.c.steps).where(
        runs.c.uuid == bindparam("run")
    )


def _steps_of() -> Select[Any]:
    return (
        select(
            steps.c.signature,
            signatures.c.digest,
            steps.c.node,
            nodes.c.name,
            signatures.c.operator,
            signatures.c.operator_version,
        )
        .join(signatures, signatures.c.id == steps.c.signature)
        .join(nodes, nodes.c.id == steps.c.node)
        .where(steps.c.list == bindparam("listed"))
        .order_by(steps.c.position)
    )


def _listed() -> Select[Any]:
    return (
        select(runs, pipelines.c.name.label("pipeline"), pipeline_versions.c.number)
        .join(pipeline_versions, pipeline_versions.c.id == runs.c.version)
        .join(pipelines, pipelines.c.id == pipeline_versions.c.pipeline)
    )


def _shape(row: Row[Any]) -> RunShape:
    return RunShape(
        uuid=UUID(bytes=row.uuid),
        pipeline=row.pipeline,
        version=row.number,
        state=RUN_STATES[row.state],
        dry_run=False,
        started=iso(row.started),
        finished=None if row.finished is None else iso(row.finished),
        assets=msgspec.json.decode(row.asset_counts, type=AssetCounts),
        nodes=msgspec.json.decode(row.node_counts, type=dict[str, NodeCounts]),
        bytes=row.bytes_read,
        paths=[shown_path(path) for path in row.paths.split(b"\0") if path],
    )
