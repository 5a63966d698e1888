"""Groups of duplicates as they are shown."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, exists, select

from loom.duplicates import DuplicateKind, DuplicateMember, DuplicateShape, DuplicateState
from loom.shapes import Page
from loom.store import assets, duplicates, keepers
from loom.store.groups import Group, Standing, groups_of
from loom.store.tables import duplicate_members
from loom.store.tables import duplicates as table
from loom.store.values import (
    DUPLICATE_KINDS,
    DUPLICATE_STATES,
    LEFT,
    cut_page,
    iso,
    key_of_cursor,
    page_size,
)


def page(
    connection: Connection,
    state: DuplicateState | None,
    kind: DuplicateKind | None,
    asset: UUID | None,
    limit: int,
    cursor: str | None,
) -> Page[DuplicateShape]:
    """In the order in which they were proposed. Raises `NOT_FOUND` for an asset that is not known."""
    statement = select(table).order_by(table.c.id).limit(page_size(limit) + 1)
    if state is not None:
        statement = statement.where(table.c.state == DUPLICATE_STATES.index(state))
    if kind is not None:
        statement = statement.where(table.c.kind == DUPLICATE_KINDS.index(kind))
    if asset is not None:
        number = assets.by_uuid(connection, asset)
        at = duplicate_members.c
        statement = statement.where(exists().where(at.duplicate == table.c.id, at.asset == number))
    if (after := key_of_cursor(cursor, int)) is not None:
        statement = statement.where(table.c.id > after[0])
    on_page, following = cut_page(connection.execute(statement).all(), limit, lambda row: (row.id,))
    return Page(items=[_shape(group) for group in groups_of(connection, on_page)], next=following)


def one(connection: Connection, uuid: UUID) -> DuplicateShape:
    """Raises `NOT_FOUND`."""
    return _shape(groups_of(connection, [duplicates.row_of(connection, uuid)])[0])


def _shape(group: Group) -> DuplicateShape:
    row = group.row
    keeper, reason = group.kept() or (None, None)
    return DuplicateShape(
        uuid=UUID(bytes=row.uuid),
        kind=DUPLICATE_KINDS[row.kind],
        state=DUPLICATE_STATES[row.state],
        created=iso(row.created),
        decided=None if row.decided is None else iso(row.decided),
        keeper=keeper,
        reason=reason,
        members=[_member(group, one, kept=one.id == keeper) for one in group.standing],
    )


def _member(group: Group, standing: Standing, *, kept: bool) -> DuplicateMember:
    asset = group.known.assets[standing.number]
    told = group.known.told.get(standing.number, keepers.NOTHING)
    width, height = (told.width, told.height) if told.pixels else (None, None)
    return DuplicateMember(
        id=standing.id,
        asset=asset.uuid,
        blake3=asset.blake3,
        media=asset.kind,
        mime=asset.mime,
        size=asset.size,
        kept=kept,
        left=standing.part == LEFT,
        distance=standing.distance,
        width=width,
        height=height,
        captured_at=told.captured,
        complete=group.known.complete.get(standing.number),
        locations=standing.lying,
    )
