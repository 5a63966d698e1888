"""Workers: what produces results, and the operators that they offer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, delete, func, select, update

from loom.graph.specs import OperatorSpec
from loom.model import Resources, Worker
from loom.shapes import WorkerShape
from loom.store import requests
from loom.store.statements import insert, upsert
from loom.store.tables import heartbeats, worker_operators, workers
from loom.store.values import clean, iso, key_of, to_json


def ensure(connection: Connection, worker: Worker, host: str, now: int) -> int:
    """The number of the worker with these versions, which was seen now."""
    versions = to_json(worker.versions)
    digest = key_of(clean(worker.name).encode("utf-8"), versions.encode("utf-8"))
    upsert(connection, workers, [(digest, clean(worker.name), versions, clean(host), now)])
    return int(connection.execute(select(workers.c.id).where(workers.c.digest == digest)).scalar_one())


def announce(
    connection: Connection,
    worker: Worker,
    host: str,
    operators: list[OperatorSpec],
    resources: Resources | None,
    now: int,
) -> None:
    """The worker offers these operators from now on, and no others."""
    number = ensure(connection, worker, host, now)
    same_name = select(workers.c.id).where(workers.c.name == clean(worker.name))
    connection.execute(delete(worker_operators).where(worker_operators.c.worker.in_(same_name)))
    insert(connection, worker_operators, [(number, spec.id, to_json(spec)) for spec in operators])
    row = (clean(worker.name), clean(host), now, None if resources is None else to_json(resources))
    upsert(connection, heartbeats, [row])


def beat(connection: Connection, worker: str, host: str | None, now: int) -> None:
    """A worker is there. Without `host` only one that is known is noted."""
    name = clean(worker)
    if host is not None:
        insert(connection, heartbeats, [(name, clean(host), now, None)])
    connection.execute(update(heartbeats).where(heartbeats.c.worker == name).values(heard=now))


def announced(connection: Connection) -> list[OperatorSpec]:
    """What all workers together offer, by id; of several specs of an operator that of the worker seen last."""
    statement = (
        select(worker_operators.c.operator, worker_operators.c.spec)
        .join(workers, workers.c.id == worker_operators.c.worker)
        .order_by(worker_operators.c.operator, workers.c.last_seen, workers.c.id)
    )
    latest: dict[str, str] = dict(connection.execute(statement).all())
    return [msgspec.json.decode(spec, type=OperatorSpec) for spec in latest.values()]


def listed(connection: Connection, now: int) -> list[WorkerShape]:
    """The workers by name, each as it was last seen."""
    beats = {row.worker: row for row in connection.execute(select(heartbeats))}
    claimed = requests.claims(connection)
    last = select(workers.c.name, func.max(workers.c.last_seen).label("seen")).group_by(workers.c.name).subquery()
    statement = (
        select(workers)
        .join(last, (last.c.name == workers.c.name) & (last.c.seen == workers.c.last_seen))
        .order_by(workers.c.name, workers.c.id)
    )
    rows = {row.name: row for row in connection.execute(statement)}
    offered: dict[int, list[str]] = {}
    for worker, operator in connection.execute(
        select(worker_operators.c.worker, worker_operators.c.operator).order_by(worker_operators.c.operator)
    ):
        offered.setdefault(worker, []).append(operator)
    return [_shape(row, beats.get(row.name), offered.get(row.id, []), claimed, now) for row in rows.values()]


def _shape(
    row: Row[Any], beat: Row[Any] | None, operators: list[str], claimed: dict[str, list[UUID]], now: int
) -> WorkerShape:
    shape = WorkerShape(
        name=row.name,
        host=row.host,
        versions=msgspec.json.decode(row.versions),
        operators=operators,
        last_seen=iso(row.last_seen),
        runs=claimed.get(row.name, []),
    )
    if beat is None:
        return shape
    return msgspec.structs.replace(
        shape,
        last_seen=iso(max(row.last_seen, beat.heard)),
        heartbeat=iso(beat.heard),
        online=now - beat.heard <= requests.LEASE_US,
        resources=None if beat.resources is None else msgspec.json.decode(beat.resources, type=Resources),
    )
