"""What people decide of groups of duplicates. What they say twice is done once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from loom.duplicates import Decision
from loom.errors import LoomError
from loom.store import duplicates
from loom.store.duplicates import Touched
from loom.store.groups import Group, groups_of
from loom.store.statements import insert
from loom.store.tables import actions, duplicate_files, duplicate_members
from loom.store.tables import duplicates as table
from loom.store.values import BEGUN, CONFIRMED, DONE, EXACT, KEPT, LEFT, MEMBER, PENDING, REJECTED, SIMILAR

BY_HAND = "chosen by hand"


def confirm(connection: Connection, uuid: UUID, decision: Decision, now: int) -> Touched:
    """See `loom.verbs.Duplicates.confirm_duplicate`. Returns the groups that are not what they were."""
    row = duplicates.row_of(connection, uuid, lock=True)
    group = groups_of(connection, [row])[0]
    if row.state == CONFIRMED and _says_the_same(group, decision):
        return set()
    _must_be_pending(row)
    _must_be_as_seen(group, decision.seen)
    members = set(group.ids()) if decision.members is None else set(decision.members)
    wanted = members if decision.keeper is None else {*members, decision.keeper}
    if unknown := sorted(wanted - set(group.ids())):
        raise LoomError("REQUEST_INVALID", f"{unknown[0]!r} is no member of this group.")
    if decision.keeper is not None and decision.keeper not in members:
        raise LoomError("REQUEST_INVALID", "The one that is kept is one of those that are confirmed.")
    best = group.best_of(members)
    if len(members) < 2 or best is None:
        raise LoomError("REQUEST_INVALID", "There are no two left to choose from.")
    keeper, reason = best if decision.keeper in (None, best[0]) else (decision.keeper or "", BY_HAND)
    parts = {id_: KEPT if id_ == keeper else MEMBER if id_ in members else LEFT for id_ in group.ids()}
    _decide(connection, group, CONFIRMED, parts, reason, now)
    touched = {uuid}
    if row.kind == SIMILAR:
        left = sorted((one.distance or 0, one.number) for one in group.standing if parts[one.id] == LEFT)
        if len(left) > 1:
            duplicates.propose_similar(connection, {number: distance for distance, number in left}, now, touched)
    return touched


def reject(connection: Connection, uuid: UUID, seen: Collection[str] | None, now: int) -> Touched:
    """See `loom.verbs.Duplicates.reject_duplicate`; returns as `confirm`."""
    row = duplicates.row_of(connection, uuid, lock=True)
    if row.state == REJECTED:
        return set()
    _must_be_pending(row)
    group = groups_of(connection, [row])[0]
    _must_be_as_seen(group, seen)
    _decide(connection, group, REJECTED, dict.fromkeys(group.ids(), MEMBER), None, now)
    return {uuid}


def reopen(connection: Connection, uuid: UUID) -> Touched:
    """See `loom.verbs.Duplicates.reopen_duplicate`; returns as `confirm`."""
    row = duplicates.row_of(connection, uuid, lock=True)
    if row.state == PENDING:
        return set()
    touched = {uuid}
    moved = select(actions.c.id).where(actions.c.duplicate == row.uuid, actions.c.state.in_((BEGUN, DONE)))
    if connection.execute(moved.limit(1)).first() is not None:
        raise LoomError("DECIDED", "Files of this group were moved; bring them back first, with `cortex undo`.")
    others = []
    if row.kind == EXACT:
        (asset,) = duplicates.members_of(connection, row.id)
        others = duplicates.pending_copies(connection, asset)
    connection.execute(delete(duplicate_files).where(duplicate_files.c.duplicate == row.id))
    connection.execute(update(duplicate_members).where(duplicate_members.c.duplicate == row.id).values(part=MEMBER))
    connection.execute(update(table).where(table.c.id == row.id).values(state=PENDING, decided=None, reason=None))
    duplicates.remove(connection, others, touched)
    if row.kind == SIMILAR:
        duplicates.unite(connection, row.id, touched)
    return touched


def _says_the_same(group: Group, decision: Decision) -> bool:
    kept = group.kept()
    members = {one.id for one in group.standing if one.part != LEFT}
    return (kept is None or decision.keeper in (None, kept[0])) and (
        decision.members is None or set(decision.members) == members
    )


def _must_be_pending(row: Row[Any]) -> None:
    if row.state != PENDING:
        word = "confirmed" if row.state == CONFIRMED else "rejected"
        raise LoomError("DECIDED", f"This group was {word} already; reopen it first.")


def _must_be_as_seen(group: Group, seen: Collection[str] | None) -> None:
    if seen is not None and set(seen) != set(group.ids()):
        raise LoomError("VERSION_CONFLICT", "The group has other members now than those that were seen.")


def _decide(
    connection: Connection, group: Group, state: int, parts: dict[str, int], reason: str | None, now: int
) -> None:
    row = group.row
    connection.execute(update(table).where(table.c.id == row.id).values(state=state, decided=now, reason=reason))
    if row.kind == EXACT:
        places = [(place, parts[one.id]) for one in group.standing for place in one.places]
        rows = [(row.id, place.key, place.host, place.path, part) for place, part in places]
        insert(connection, duplicate_files, sorted(rows))
        return
    at = duplicate_members.c
    mine = update(duplicate_members).where(at.duplicate == row.id, at.asset == bindparam("of"))
    said = [{"of": one.number, "as": parts[one.id]} for one in group.standing]
    connection.execute(mine.values(part=bindparam("as")), said)
