"""Who lets a run stand still, whether it was cancelled, and what its worker is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, select, update

from loom.errors import LoomError
from loom.model import RunState
from loom.steering import Depth, Pause, RunOrders
from loom.store import counting, problems, requests
from loom.store.requests import LEASE_US
from loom.store.statements import any_of, fetch_each, insert, upsert
from loom.store.tables import pipeline_versions, pipelines, run_cancels, run_pauses, run_requests, runs
from loom.store.values import CANCELLED, CLAIMED, ENDED, QUEUED, RUN_STATES, RUNNING, clean

_RENEW_AFTER_US = LEASE_US // 3
_FAILED = RUN_STATES.index(RunState.FAILED)


class Standing(NamedTuple):
    """A run as far as it can be steered. `asked` is the state of its request, None for one that its caller executes
    itself; `heard` is when that caller was last heard of."""

    uuid: UUID
    pipeline: str
    asked: int | None
    claimed_by: str | None
    lease: int | None
    state: int | None
    heard: int | None
    cancelled: bool

    @property
    def has_ended(self) -> bool:
        return self.state not in (None, RUNNING) or self.asked not in (None, QUEUED, CLAIMED)

    @property
    def was_cancelled(self) -> bool:
        return self.asked == CANCELLED or (self.state is not None and RUN_STATES[self.state] is RunState.CANCELLED)

    def lives(self, now: int) -> bool:
        """Whether a worker is there that can be told something."""
        if self.asked is not None:
            return self.asked == CLAIMED and (self.lease or 0) >= now
        return self.heard is not None and self.heard + LEASE_US >= now

    def is_due(self, now: int) -> bool:
        """Whether it is time to write down that its worker is alive."""
        if self.asked is None and self.heard is None and self.state == _FAILED:
            return True  # it was given up too early
        if self.has_ended:
            return False
        if self.asked is not None:
            return (self.lease or 0) - now < LEASE_US - _RENEW_AFTER_US
        return is_silent(self.heard, now)


class _Asked(NamedTuple):
    uuid: bytes
    pipeline: str
    state: int
    claimed_by: str | None
    lease: int | None


class _Begun(NamedTuple):
    uuid: bytes
    state: int
    heard: int | None
    pipeline: str


def standing(connection: Connection, uuid: UUID) -> Standing:
    """For changing it: nobody else does meanwhile. Raises `NOT_FOUND`."""
    asked = requests.row_of(connection, uuid, lock=True)
    statement = _begun().where(runs.c.uuid == uuid.bytes).with_for_update(of=runs)
    begun = connection.execute(statement).first()
    if asked is None and begun is None:
        raise LoomError("NOT_FOUND", f"There is no run {uuid}.")
    return _standing(uuid, asked, begun, uuid in _cancelled(connection, [uuid]))


def orders(connection: Connection, worker: str, uuids: Sequence[UUID], now: int) -> tuple[list[RunOrders], list[UUID]]:
    """What each run is to do, and for which of them it is time to write down that its worker is alive."""
    keys = [uuid.bytes for uuid in uuids]
    asked = {row.uuid: row for row in map(_Asked._make, fetch_each(connection, _asked_for, keys))}
    begun = {row.uuid: row for row in map(_Begun._make, fetch_each(connection, _begun_of, keys))}
    cancelled = _cancelled(connection, uuids)
    pauses = pauses_of(connection, uuids)
    told, due = [], []
    for uuid in uuids:
        if uuid.bytes not in asked and uuid.bytes not in begun:
            told.append(RunOrders(run=uuid))
            continue
        at = _standing(uuid, asked.get(uuid.bytes), begun.get(uuid.bytes), uuid in cancelled)
        lost = at.asked is not None and (at.asked == QUEUED or at.claimed_by != clean(worker))
        told.append(
            RunOrders(
                run=uuid,
                cancelled=at.cancelled or at.was_cancelled,
                lost=lost,
                pauses=tuple(pauses.get(uuid, ())),
            )
        )
        if not lost and at.is_due(now):
            due.append(uuid)
    return told, due


def hear(connection: Connection, worker: str, uuids: Sequence[UUID], now: int) -> list[UUID]:
    """The worker of these runs is alive; which of them had been taken for abandoned."""
    requests.renew(connection, worker, uuids, now)
    revived = revive(connection, uuids, now)
    connection.execute(update(runs).where(runs.c.uuid.in_([uuid.bytes for uuid in uuids])).values(heard=now))
    return revived


def revive(connection: Connection, uuids: Sequence[UUID], now: int) -> list[UUID]:
    """Lets those of these runs go on that were taken for abandoned, which has forgotten when they were heard of."""
    given_up = (runs.c.uuid.in_([uuid.bytes for uuid in uuids]), runs.c.state == _FAILED, runs.c.heard.is_(None))
    found = connection.execute(select(runs.c.id, runs.c.uuid).where(*given_up).with_for_update()).all()
    for number, _ in found:
        going_on = {"state": RUNNING, "finished": None, "heard": now, "problems": 0}
        connection.execute(update(runs).where(runs.c.id == number).values(going_on))
        problems.keep(connection, number, ())
    return [UUID(bytes=uuid) for _, uuid in found]


def is_silent(heard: int | None, now: int) -> bool:
    """Whether it is time to write down that the worker of a run, last heard of then, is alive."""
    return heard is None or now - heard > _RENEW_AFTER_US


def pause(connection: Connection, uuid: UUID, pause: Pause) -> None:
    row = (uuid.bytes, clean(pause.owner), int(pause.depth), clean(pause.reason), pause.since)
    upsert(connection, run_pauses, [row])


def resume(connection: Connection, uuid: UUID, owner: str) -> bool:
    """Whether the owner had paused it."""
    statement = delete(run_pauses).where(run_pauses.c.run == uuid.bytes, run_pauses.c.owner == clean(owner))
    return connection.execute(statement).rowcount > 0


def cancel(connection: Connection, uuid: UUID, now: int) -> None:
    insert(connection, run_cancels, [(uuid.bytes, now)])


def end(connection: Connection, uuid: UUID, state: RunState, now: int, error: LoomError | None = None) -> None:
    """Ends a run that its worker has not finished, with the counts of what it has stored: FAILED or CANCELLED."""
    requests.end(connection, uuid, CANCELLED if state is RunState.CANCELLED else ENDED, now, error)
    mine = (runs.c.uuid == uuid.bytes, runs.c.state == RUNNING)
    number = connection.execute(select(runs.c.id).where(*mine)).scalar()
    if number is not None:
        counting.keep(connection, number)
        connection.execute(update(runs).where(*mine).values(state=RUN_STATES.index(state), finished=now))
    forget_pauses(connection, uuid)


def forget_pauses(connection: Connection, uuid: UUID) -> None:
    connection.execute(delete(run_pauses).where(run_pauses.c.run == uuid.bytes))


def pauses_of(connection: Connection, uuids: Sequence[UUID]) -> dict[UUID, list[Pause]]:
    """Who lets these runs stand still, the oldest first."""
    found: dict[UUID, list[Pause]] = {}
    for run, owner, depth, reason, since in fetch_each(connection, _paused, [uuid.bytes for uuid in uuids]):
        one = Pause(owner=owner, reason=reason, depth=Depth(depth), since=since)
        found.setdefault(UUID(bytes=run), []).append(one)
    return found


def newest_version(connection: Connection, pipeline: str) -> int | None:
    """The number of the newest version that is kept of a pipeline, stored or not."""
    statement = select(func.max(pipeline_versions.c.number)).join(
        pipelines, pipelines.c.id == pipeline_versions.c.pipeline
    )
    return connection.execute(statement.where(pipelines.c.name == pipeline)).scalar()


def _cancelled(connection: Connection, uuids: Sequence[UUID]) -> set[UUID]:
    return {UUID(bytes=key) for (key,) in fetch_each(connection, _cancels, [uuid.bytes for uuid in uuids])}


def _begun() -> Any:
    return (
        select(runs.c.uuid, runs.c.state, runs.c.heard, pipelines.c.name.label("pipeline"))
        .join(pipeline_versions, pipeline_versions.c.id == runs.c.version)
        .join(pipelines, pipelines.c.id == pipeline_versions.c.pipeline)
    )


def _begun_of(count: int) -> Any:
    return _begun().where(any_of(runs.c.uuid, count))


def _asked_for(count: int) -> Any:
    columns = (run_requests.c[name] for name in _Asked._fields)
    return select(*columns).where(any_of(run_requests.c.uuid, count))


def _paused(count: int) -> Any:
    return (
        select(run_pauses.c.run, run_pauses.c.owner, run_pauses.c.depth, run_pauses.c.reason, run_pauses.c.since)
        .where(any_of(run_pauses.c.run, count))
        .order_by(run_pauses.c.since, run_pauses.c.owner)
    )


def _cancels(count: int) -> Any:
    return select(run_cancels.c.run).where(any_of(run_cancels.c.run, count))


def _standing(
    uuid: UUID, asked: _Asked | Row[Any] | None, begun: _Begun | Row[Any] | None, cancelled: bool
) -> Standing:
    told = begun or asked
    return Standing(
        uuid=uuid,
        pipeline="" if told is None else told.pipeline,
        asked=None if asked is None else asked.state,
        claimed_by=None if asked is None else asked.claimed_by,
        lease=None if asked is None else asked.lease,
        state=None if begun is None else begun.state,
        heard=None if begun is None else begun.heard,
        cancelled=cancelled,
    )
