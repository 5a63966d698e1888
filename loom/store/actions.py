"""What was done to files: written down before or with the deed, with its end, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, select, update

from loom.actions import ActionEnd, ActionShape, ActionState
from loom.errors import LoomError
from loom.events import NO_RUN, ActionEvent, RunHead
from loom.model import Action, FoundAt, asset_uuid
from loom.shapes import Page
from loom.store import assets, locations
from loom.store.copies import place_key
from loom.store.statements import chunks, insert
from loom.store.tables import actions, pipeline_versions, pipelines, runs
from loom.store.values import (
    ACTION_KINDS,
    ACTION_STATES,
    BEGUN,
    DONE,
    MOVED,
    REMOVED,
    b64_unless_shown,
    clean,
    cut_page,
    iso,
    key_of_cursor,
    page_size,
    shown_path,
    signed,
    split_path,
)

_MOST = 1000
"""Characters of a reason."""

_AFTER = {"DONE": ("BEGUN",), "FAILED": ("BEGUN",), "UNDONE": ("BEGUN", "DONE")}
"""From which states an action may come into another."""


def begin(connection: Connection, host: str, action: Action, duplicate: UUID | None) -> None:
    """Writes down what is about to be done."""
    row = _row(action, host, None, None if duplicate is None else duplicate.bytes, BEGUN, None)
    insert(connection, actions, [row])


def intend(connection: Connection, run: UUID, host: str, ahead: Iterable[Action], dropped: Iterable[UUID]) -> None:
    """Writes down what a run is about to do, and forgets what it was about to do and did not."""
    insert(connection, actions, [_row(action, host, run.bytes, None, BEGUN, None) for action in ahead])
    gone = sorted(uuid.bytes for uuid in dropped)
    if gone:
        mine = (actions.c.run == run.bytes, actions.c.state == BEGUN)
        connection.execute(delete(actions).where(actions.c.uuid.in_(gone), *mine))


def add(connection: Connection, run: UUID, host: str, done: Sequence[Action], now: int) -> Told:
    """Writes down what a run did, most of which it had said before. Tells of what was not written down as done."""
    if not done:
        return NO_RUN, []
    by_uuid = {action.uuid.bytes: action for action in done}
    told: set[bytes] = set()
    for piece in chunks(sorted(by_uuid)):
        known = select(actions.c.uuid).where(actions.c.uuid.in_(set(piece)), actions.c.state != BEGUN)
        told.update(connection.execute(known).scalars())
        begun = (actions.c.uuid.in_(set(piece)), actions.c.state == BEGUN)
        connection.execute(update(actions).where(*begun).values(state=DONE, ended=now))
    insert(connection, actions, [_row(action, host, run.bytes, None, DONE, now) for action in by_uuid.values()])
    events = [
        ActionEvent(now, action.uuid, action.kind, action.asset, None, "DONE")
        for uuid, action in by_uuid.items()
        if uuid not in told
    ]
    return _head(connection, run.bytes), events


Told = tuple[RunHead, list[ActionEvent]]
"""What is to be told of actions, and under which run."""


def end(connection: Connection, uuid: UUID, ending: ActionEnd, now: int) -> Told:
    """See `loom.verbs.Actions.end_action`."""
    row = _row_of(connection, uuid, lock=True)
    state = ACTION_STATES[row.state]
    if state != ending.state and state not in _AFTER[ending.state]:
        raise LoomError("DECIDED", f"This action is {state.lower()} already.")
    code, why = ACTION_STATES.index(ending.state), None if ending.why is None else clean(ending.why[:_MOST])
    connection.execute(update(actions).where(actions.c.id == row.id).values(state=code, ended=now, why=why))
    if ending.found is not None:
        _place(connection, row, ending.found, now)
    if ending.state == "UNDONE" and row.kind != REMOVED:
        locations.mark_missing(connection, row.host, [split_path(row.target)], now)
    elif ending.state == "DONE" and row.kind == MOVED:
        locations.mark_missing(connection, row.host, [split_path(row.origin)], now)
    if state == ending.state or ending.state == "FAILED":
        return NO_RUN, []
    return _head(connection, row.run), [_event(row, ending.state, now)]


def _event(row: Row[Any], status: str, now: int) -> ActionEvent:
    group = None if row.duplicate is None else UUID(bytes=row.duplicate)
    return ActionEvent(now, UUID(bytes=row.uuid), ACTION_KINDS[row.kind], row.asset, group, status)


def _head(connection: Connection, run: bytes | None) -> RunHead:
    """The run as events name it; what is forgotten is told under none."""
    named = (
        select(pipelines.c.name)
        .join(pipeline_versions, pipeline_versions.c.pipeline == pipelines.c.id)
        .join(runs, runs.c.version == pipeline_versions.c.id)
    )
    name = None if run is None else connection.execute(named.where(runs.c.uuid == run)).scalar()
    return NO_RUN if run is None or name is None else RunHead(UUID(bytes=run), name, False)


def page(
    connection: Connection,
    run: UUID | None,
    duplicate: UUID | None,
    host: str | None,
    state: ActionState | None,
    limit: int,
    cursor: str | None,
) -> Page[ActionShape]:
    """In the order in which they were written down."""
    statement = select(actions).order_by(actions.c.id).limit(page_size(limit) + 1)
    if run is not None:
        statement = statement.where(actions.c.run == run.bytes)
    if duplicate is not None:
        statement = statement.where(actions.c.duplicate == duplicate.bytes)
    if host is not None:
        statement = statement.where(actions.c.host == clean(host))
    if state is not None:
        statement = statement.where(actions.c.state == ACTION_STATES.index(state))
    if (after := key_of_cursor(cursor, int)) is not None:
        statement = statement.where(actions.c.id > after[0])
    shown, following = cut_page(connection.execute(statement).all(), limit, lambda row: (row.id,))
    return Page(items=[_shape(row) for row in shown], next=following)


def one(connection: Connection, uuid: UUID) -> ActionShape:
    """Raises `NOT_FOUND`."""
    return _shape(_row_of(connection, uuid))


def _row_of(connection: Connection, uuid: UUID, *, lock: bool = False) -> Row[Any]:
    statement = select(actions).where(actions.c.uuid == uuid.bytes)
    row = connection.execute(statement.with_for_update() if lock else statement).first()
    if row is None:
        raise LoomError("NOT_FOUND", f"There is no action {uuid}.")
    return row


def _row(
    action: Action, host: str, run: bytes | None, duplicate: bytes | None, state: int, ended: int | None
) -> tuple[Any, ...]:
    return (
        action.uuid.bytes,
        run,
        duplicate,
        clean(host),
        ACTION_KINDS.index(action.kind),
        action.asset,
        action.origin,
        action.target,
        place_key(host, action.target),
        action.digest,
        signed(action.size),
        action.began,
        ended,
        state,
        None,
    )


def _place(connection: Connection, row: Row[Any], found: FoundAt, now: int) -> None:
    """The asset, if it is known, lies here now."""
    number = assets.known(connection, [row.asset]).get(row.asset)
    if number is not None:
        locations.place(connection, row.host, [(number, found)], now)


def _shape(row: Row[Any]) -> ActionShape:
    origin, target = shown_path(row.origin), shown_path(row.target)
    return ActionShape(
        uuid=UUID(bytes=row.uuid),
        run=None if row.run is None else UUID(bytes=row.run),
        duplicate=None if row.duplicate is None else UUID(bytes=row.duplicate),
        host=row.host,
        kind=ACTION_KINDS[row.kind],
        asset=asset_uuid(row.asset),
        blake3=row.asset.hex(),
        origin=origin,
        target=target,
        digest=row.digest.hex(),
        size=row.size,
        began=iso(row.began),
        ended=None if row.ended is None else iso(row.ended),
        state=ACTION_STATES[row.state],
        why=row.why,
        origin_b64=b64_unless_shown(row.origin, origin),
        target_b64=b64_unless_shown(row.target, target),
    )
