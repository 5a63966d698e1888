"""Runs: opened, finished, listed; and what a run needs for storing its results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Select, bindparam, case, func, select, update
from sqlalchemy.sql import ColumnElement

from loom.errors import LoomError
from loom.model import AssetCounts, NodeCounts, RunClosing, RunOpening, RunState, StepRef
from loom.problems import Problem
from loom.store import counting, problems, requests, spending, steering, takeover, workers
from loom.store.pipelines import record
from loom.store.statements import compiled, fetch, insert
from loom.store.tables import nodes, pipeline_versions, pipelines, plans, runs, signatures, step_lists, steps
from loom.store.values import (
    CANCELLED,
    ENDED,
    RUN_STATES,
    RUNNING,
    clean,
    key_of,
    to_json,
)


class GivenUp(NamedTuple):
    """A run that nobody executes any more: its pipeline, and how it ended by that."""

    pipeline: str
    state: RunState


class StepRow(NamedTuple):
    """A step of a run by the numbers that it has in the database."""

    signature: int
    digest: bytes
    node_id: int
    node: str
    operator: str
    operator_version: str


class OpenRun(NamedTuple):
    """What is needed to store what a run reports. `heard` is when its worker was last heard of, `plan` what its assets
    are settled under."""

    id: int
    host: str
    state: int
    heard: int | None
    plan: int
    steps: list[StepRow]


def open_run(connection: Connection, opening: RunOpening, now: int) -> None:
    """Begins a run; nothing happens when it is there already, but that the worker which has claimed it becomes its
    worker. Raises `NOT_FOUND` when its version of the pipeline is not stored; a definition that comes with the opening
    is kept for the run."""
    number = opening.version
    if opening.definition is not None:
        number = record(connection, opening.definition, now)
    version = connection.execute(
        select(pipeline_versions.c.id)
        .join(pipelines, pipelines.c.id == pipeline_versions.c.pipeline)
        .where(pipelines.c.name == clean(opening.pipeline), pipeline_versions.c.number == number)
    ).scalar()
    if version is None:
        raise LoomError("NOT_FOUND", f"There is no version {number} of a pipeline named {opening.pipeline!r}.")
    row = (
        opening.uuid.bytes,
        version,
        workers.ensure(connection, opening.worker, opening.host, now),
        clean(opening.host),
        plan_number(connection, opening.plan),
        plan_number(connection, opening.settles or opening.plan),
        _step_list(connection, opening.steps),
        RUNNING,
        opening.started,
        None,
        to_json(AssetCounts()),
        to_json({step.node: NodeCounts() for step in opening.steps}),
        0,
        b"\0".join(opening.paths),
        now,
        0,
        None,
        None,
        None,
    )
    insert(connection, runs, [row])
    if requests.open_by(connection, opening.uuid, opening.worker.name):
        _take_over(connection, opening.uuid, row)


def _take_over(connection: Connection, uuid: UUID, row: tuple[Any, ...]) -> None:
    """What another worker had begun is this one's now, with the plan that it has."""
    new = dict(zip((column.name for column in runs.c if column.name != "id"), row, strict=True))
    own = {name: new[name] for name in ("worker", "host", "plan", "settles", "steps", "heard")}
    connection.execute(update(runs).where(runs.c.uuid == uuid.bytes, runs.c.state == RUNNING).values(own))


def finish(connection: Connection, closing: RunClosing) -> None:
    """Ends a run; one that was ended as cancelled stays so. What was walked before another worker went on with it
    counts too. Raises `NOT_FOUND`, `RUN_LOST`."""
    number = number_of(connection, closing.uuid)
    requests.row_of(connection, closing.uuid, lock=True)  # before the run: who steers takes both in this order
    requests.check_claim(connection, closing.uuid, closing.worker)
    closing = takeover.whole(connection, number, closing)
    state = RUN_STATES.index(closing.state)
    cancelled = RUN_STATES.index(RunState.CANCELLED)
    connection.execute(
        update(runs)
        .where(runs.c.id == number)
        .values(
            state=case((runs.c.state == cancelled, cancelled), else_=state),
            finished=closing.finished,
            heard=closing.finished,
            asset_counts=to_json(closing.assets),
            node_counts=to_json(closing.nodes),
            bytes_read=closing.bytes_read,
            problems=max(closing.problems_total, len(closing.problems)),
            spent=spending.written(closing.spent),
        )
    )
    problems.keep(connection, number, closing.problems)
    requests.end(connection, closing.uuid, CANCELLED if state == cancelled else ENDED, closing.finished)
    steering.forget_pauses(connection, closing.uuid)


def end_abandoned(connection: Connection, host: str, now: int) -> dict[UUID, GivenUp]:
    """Runs of this host that were never finished are marked FAILED, or CANCELLED if they were to end anyway, with the
    counts of what they have stored. Those that a worker was asked for are left: another goes on with them. A worker
    that was away and speaks again revives its run: see `steering.revive`."""
    return _give_up(connection, (runs.c.host == clean(host),), now, "Its process has ended without ending it.")


def silent(connection: Connection, since: int) -> list[UUID]:
    """The runs that their callers execute themselves and of which nothing was heard since then."""
    found = connection.execute(select(runs.c.uuid).where(*_own_and_going(), _heard() < since)).scalars()
    return [UUID(bytes=uuid) for uuid in found]


def end_silent(connection: Connection, uuids: Sequence[UUID], since: int, now: int) -> dict[UUID, GivenUp]:
    """As `end_abandoned`, of those of these runs of which still nothing was heard."""
    these = (runs.c.uuid.in_([uuid.bytes for uuid in uuids]), _heard() < since)
    return _give_up(connection, these, now, f"Who executed it was not heard of for {(now - since) // 1_000_000} s.")


def _give_up(
    connection: Connection, which: Sequence[ColumnElement[bool]], now: int, reason: str
) -> dict[UUID, GivenUp]:
    found = connection.execute(
        select(runs.c.id, runs.c.uuid, pipelines.c.name, requests.is_cancelled(runs.c.uuid).label("cancelled"))
        .join(pipeline_versions, pipeline_versions.c.id == runs.c.version)
        .join(pipelines, pipelines.c.id == pipeline_versions.c.pipeline)
        .where(*_own_and_going(), *which)
        .with_for_update(of=runs)
    ).all()
    ended = {}
    for number, uuid, pipeline, cancelled in found:
        counting.keep(connection, number)
        state = RunState.CANCELLED if cancelled else RunState.FAILED
        why = [] if cancelled else [Problem(b"", "RUN_ABANDONED", reason)]
        new = {"state": RUN_STATES.index(state), "finished": now, "heard": None, "problems": len(why)}
        connection.execute(update(runs).where(runs.c.id == number).values(new))
        problems.keep(connection, number, why)
        ended[UUID(bytes=uuid)] = GivenUp(pipeline, state)
    return ended


def _own_and_going() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return runs.c.state == RUNNING, ~requests.goes_on()


def _heard() -> ColumnElement[int]:
    return func.coalesce(runs.c.heard, runs.c.started)


def hear(connection: Connection, number: int, now: int) -> None:
    """Its caller has reported something."""
    connection.execute(update(runs).where(runs.c.id == number).values(heard=now))


def number_of(connection: Connection, uuid: UUID) -> int:
    """The number of the run; raises `NOT_FOUND`."""
    number = connection.execute(select(runs.c.id).where(runs.c.uuid == uuid.bytes)).scalar()
    if number is None:
        raise LoomError("NOT_FOUND", f"There is no run {uuid}.")
    return int(number)


def begun(connection: Connection, uuid: UUID) -> int | None:
    """The number of the run, None for one that was only asked for; raises `NOT_FOUND`."""
    number = connection.execute(select(runs.c.id).where(runs.c.uuid == uuid.bytes)).scalar()
    if number is None and requests.row_of(connection, uuid) is None:
        raise LoomError("NOT_FOUND", f"There is no run {uuid}.")
    return number


def for_storing(connection: Connection, uuid: UUID) -> OpenRun:
    """Nobody ends the run before this transaction does. Raises `NOT_FOUND`."""
    rows = fetch(connection, compiled(connection, _storing), (uuid.bytes,))
    if not rows:
        raise LoomError("NOT_FOUND", f"There is no run {uuid}.")
    number, host, state, heard, settles, step_list = rows[0]
    return OpenRun(number, host, state, heard, settles, steps_of(connection, step_list))


def steps_of(connection: Connection, step_list: int) -> list[StepRow]:
    """The steps in the order in which outcomes are packed."""
    return [StepRow(*row) for row in fetch(connection, compiled(connection, _steps_of), (step_list,))]


def plan_number(connection: Connection, digest: bytes) -> int:
    """The number of a digest under which assets are settled, a new one if need be."""
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
    columns = (runs.c.id, runs.c.host, runs.c.state, runs.c.heard, runs.c.settles, runs.c.steps)
    return select(*columns).where(runs.c.uuid == bindparam("run")).with_for_update(read=True)


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
