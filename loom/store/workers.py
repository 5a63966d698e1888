"""Workers: what produces results, and the operators that they offer."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, delete, func, select

from loom.graph.specs import OperatorSpec
from loom.model import Worker
from loom.shapes import WorkerShape
from loom.store.statements import insert, upsert
from loom.store.tables import worker_operators, workers
from loom.store.values import clean, iso, key_of, to_json


def ensure(connection: Connection, worker: Worker, host: str, now: int) -> int:
    """The number of the worker with these versions, which was seen now."""
    versions = to_json(worker.versions)
    digest = key_of(clean(worker.name).encode("utf-8"), versions.encode("utf-8"))
    upsert(connection, workers, [(digest, clean(worker.name), versions, clean(host), now)])
    return int(connection.execute(select(workers.c.id).where(workers.c.digest == digest)).scalar_one())


def announce(connection: Connection, worker: Worker, host: str, operators: list[OperatorSpec], now: int) -> None:
    """The worker offers these operators from now on, and no others."""
    number = ensure(connection, worker, host, now)
    same_name = select(workers.c.id).where(workers.c.name == clean(worker.name))
    connection.execute(delete(worker_operators).where(worker_operators.c.worker.in_(same_name)))
    insert(connection, worker_operators, [(number, spec.id, to_json(spec)) for spec in operators])


def announced(connection: Connection) -> list[OperatorSpec]:
    """What all workers together offer, by id; of several specs of an operator that of the worker seen last."""
    statement = (
        select(worker_operators.c.operator, worker_operators.c.spec)
        .join(workers, workers.c.id == worker_operators.c.worker)
        .order_by(worker_operators.c.operator, workers.c.last_seen, workers.c.id)
    )
    latest: dict[str, str] = dict(connection.execute(statement).all())
    return [msgspec.json.decode(spec, type=OperatorSpec) for spec in latest.values()]


def listed(connection: Connection) -> list[WorkerShape]:
    """The workers by name, each as it was last seen."""
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
    return [
        WorkerShape(
            name=row.name,
            host=row.host,
            versions=msgspec.json.decode(row.versions),
            operators=offered.get(row.id, []),
            last_seen=iso(row.last_seen),
        )
        for row in rows.values()
    ]
