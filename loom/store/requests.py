"""Runs that workers are to execute: queued, claimed for a while, given back, ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Select, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.sql import ColumnElement

from loom.errors import LoomError
from loom.steering import DISK, LEASE_S, RunRequest
from loom.store.tables import run_cancels, run_pauses, run_requests, runs
from loom.store.values import CLAIMED, QUEUED, clean, to_json

LEASE_US = int(LEASE_S * 1_000_000)


def add(connection: Connection, request: RunRequest) -> bool:
    """Queues a run; False when it is there already."""
    known = exists().where(run_requests.c.uuid == request.uuid.bytes)
    if connection.execute(select(known)).scalar():
        return False
    newest = connection.execute(select(func.max(runs.c.id))).scalar()
    connection.execute(
        insert(run_requests).values(
            uuid=request.uuid.bytes,
            pipeline=request.pipeline,
            version=request.version,
            document=to_json(request),
            queued=request.queued,
            after_run=newest or 0,
            host=None if request.host is None else clean(request.host),
            state=QUEUED,
            opened=0,
        )
    )
    return True


def waits(connection: Connection, host: str, now: int) -> bool:
    """Whether there is something to claim on this host, or a cancelled run whose worker has died."""
    waiting = exists().where(_free(now), _fits(host), ~_paused(), ~_cancelled())
    dead = exists().where(_abandoned(now), _cancelled())
    return bool(connection.execute(select(or_(waiting, dead))).scalar())


def claim(connection: Connection, worker: str, host: str, now: int) -> RunRequest | None:
    """The run that has waited longest; two who claim at once get different ones. What a former worker had paused for
    want of room goes on here."""
    statement = (
        select(run_requests)
        .where(_free(now), _fits(host), ~_paused(), ~_cancelled())
        .order_by(run_requests.c.queued, run_requests.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=run_requests)
    )
    row = connection.execute(statement).first()
    if row is None:
        return None
    connection.execute(
        update(run_requests)
        .where(run_requests.c.id == row.id)
        .values(state=CLAIMED, claimed_by=clean(worker), lease=now + LEASE_US)
    )
    connection.execute(delete(run_pauses).where(run_pauses.c.run == row.uuid, run_pauses.c.owner == DISK))
    return msgspec.structs.replace(request_of(row), walked=bool(row.opened))


def cancelled_and_dead(connection: Connection, now: int) -> list[UUID]:
    """Runs that were cancelled and whose worker was not heard of since."""
    found = connection.execute(select(run_requests.c.uuid).where(_abandoned(now), _cancelled()))
    return [UUID(bytes=uuid) for uuid in found.scalars()]


def renew(connection: Connection, worker: str, uuids: Sequence[UUID], now: int) -> None:
    """Keeps those of these runs that this worker still has."""
    connection.execute(
        update(run_requests)
        .where(
            run_requests.c.uuid.in_([uuid.bytes for uuid in uuids]),
            run_requests.c.state == CLAIMED,
            run_requests.c.claimed_by == clean(worker),
        )
        .values(lease=now + LEASE_US)
    )


def give_back(connection: Connection, uuid: UUID) -> None:
    statement = update(run_requests).where(run_requests.c.uuid == uuid.bytes)
    connection.execute(statement.values(state=QUEUED, claimed_by=None, lease=None))


def end(connection: Connection, uuid: UUID, state: int, now: int, error: LoomError | None = None) -> None:
    """Ends a request, if the run was asked for at all."""
    connection.execute(
        update(run_requests)
        .where(run_requests.c.uuid == uuid.bytes)
        .values(
            state=state,
            lease=None,
            ended=now,
            error_code=None if error is None else clean(error.code),
            error_message=None if error is None else clean(error.message),
        )
    )


def row_of(connection: Connection, uuid: UUID, *, lock: bool = False) -> Row[Any] | None:
    statement = select(run_requests).where(run_requests.c.uuid == uuid.bytes)
    return connection.execute(statement.with_for_update() if lock else statement).first()


def check_claim(connection: Connection, uuid: UUID, worker: str | None) -> None:
    """Raises `RUN_LOST` when the run was asked for and this worker is not the one that has, or had, claimed it last."""
    row = connection.execute(_claimant(uuid)).first()
    if row is not None and (row.state == QUEUED or worker is None or row.claimed_by != clean(worker)):
        raise LoomError("RUN_LOST", f"The run {uuid} is not, or no longer, that of the worker {worker!r}.")


def open_by(connection: Connection, uuid: UUID, worker: str) -> bool:
    """Notes that the run has begun; False when nobody asked for it. Raises `RUN_LOST` when another worker has it,
    `RUN_ENDED`."""
    row = row_of(connection, uuid, lock=True)
    if row is None:
        return False
    if row.state not in (QUEUED, CLAIMED):
        raise LoomError("RUN_ENDED")
    check_claim(connection, uuid, worker)
    connection.execute(update(run_requests).where(run_requests.c.id == row.id).values(opened=1))
    return True


def claims(connection: Connection) -> dict[str, list[UUID]]:
    """The runs that each worker has claimed."""
    found: dict[str, list[UUID]] = {}
    statement = select(run_requests.c.claimed_by, run_requests.c.uuid).where(run_requests.c.state == CLAIMED)
    for worker, uuid in connection.execute(statement.order_by(run_requests.c.id)):
        found.setdefault(worker, []).append(UUID(bytes=uuid))
    return found


def request_of(row: Row[Any]) -> RunRequest:
    return msgspec.json.decode(row.document, type=RunRequest)


def goes_on() -> ColumnElement[bool]:
    """Whether a row of `runs` is of a run that another worker may go on with."""
    return exists().where(run_requests.c.uuid == runs.c.uuid, run_requests.c.state.in_((QUEUED, CLAIMED)))


def _claimant(uuid: UUID) -> Select[tuple[int, str]]:
    return select(run_requests.c.state, run_requests.c.claimed_by).where(run_requests.c.uuid == uuid.bytes)


def _free(now: int) -> ColumnElement[bool]:
    return or_(run_requests.c.state == QUEUED, _abandoned(now))


def _abandoned(now: int) -> ColumnElement[bool]:
    return and_(run_requests.c.state == CLAIMED, run_requests.c.lease < now)


def _fits(host: str) -> ColumnElement[bool]:
    return or_(run_requests.c.host.is_(None), run_requests.c.host == clean(host))


def _paused() -> ColumnElement[bool]:
    return exists().where(run_pauses.c.run == run_requests.c.uuid, run_pauses.c.owner != DISK)


def _cancelled() -> ColumnElement[bool]:
    return is_cancelled(run_requests.c.uuid)


def is_cancelled(run: ColumnElement[bytes]) -> ColumnElement[bool]:
    """Whether somebody wants the run to end."""
    return exists().where(run_cancels.c.run == run)
