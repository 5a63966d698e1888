"""People and their faces, as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, exists, func, select
from sqlalchemy.sql import ColumnElement

from loom.people import FaceShape, PersonShape
from loom.shapes import Page
from loom.store import assets, shown
from loom.store.persons import nobody, number_of
from loom.store.statements import constant
from loom.store.tables import locations, people, vectors
from loom.store.values import MISSING, cut_page, folded_query, iso, key_of_cursor, page_size

_FACES = func.count(vectors.c.id)


def page(connection: Connection, name: str | None, limit: int, cursor: str | None) -> Page[PersonShape]:
    """Those with the most faces first."""
    statement = _counted().order_by(_FACES.desc(), people.c.id).limit(page_size(limit) + 1)
    if name is not None:
        statement = statement.where(people.c.folded == folded_query(name))
    if (after := key_of_cursor(cursor, int, int)) is not None:
        faces, number = after
        statement = statement.having((faces > _FACES) | ((faces == _FACES) & (people.c.id > number)))
    on_page, following = cut_page(connection.execute(statement).all(), limit, lambda row: (row.faces, row.id))
    return Page(items=[_person(row) for row in on_page], next=following)


def one(connection: Connection, uuid: UUID) -> PersonShape:
    """Raises `NOT_FOUND`."""
    row = connection.execute(_counted().where(people.c.uuid == uuid.bytes)).one_or_none()
    if row is None:
        raise nobody(uuid)
    return _person(row)


def faces(connection: Connection, uuid: UUID, limit: int, cursor: str | None) -> Page[FaceShape]:
    """In the order in which they came to be known. Raises `NOT_FOUND`."""
    statement = _faces().where(vectors.c.person == number_of(connection, uuid), lies())
    statement = statement.order_by(vectors.c.id).limit(page_size(limit) + 1)
    if (after := key_of_cursor(cursor, int)) is not None:
        statement = statement.where(vectors.c.id > after[0])
    on_page, following = cut_page(connection.execute(statement).all(), limit, lambda row: (row.id,))
    return Page(items=_shapes(connection, on_page), next=following)


def of_asset(connection: Connection, uuid: UUID) -> list[FaceShape]:
    """Its faces that are with somebody, in their order. Raises `NOT_FOUND`."""
    number = assets.by_uuid(connection, uuid)
    rows = connection.execute(_faces().where(vectors.c.asset == number).order_by(vectors.c.position, vectors.c.id))
    return _shapes(connection, rows.all())


def lies() -> ColumnElement[bool]:
    """On rows of `vectors`: whether their asset lies somewhere."""
    return exists().where(locations.c.asset == vectors.c.asset, locations.c.state != constant(MISSING))


def _counted() -> Select[Any]:
    assets_of = func.count(vectors.c.asset.distinct())
    return (
        select(
            people.c.id, people.c.uuid, people.c.name, people.c.created, _FACES.label("faces"), assets_of.label("of")
        )
        .join(vectors, vectors.c.person == people.c.id)
        .where(lies())
        .group_by(people.c.id)
    )


def _faces() -> Select[Any]:
    return select(vectors.c.id, vectors.c.asset, vectors.c.position, people.c.uuid, people.c.name).join(
        people, people.c.id == vectors.c.person
    )


def _shapes(connection: Connection, rows: Sequence[Any]) -> list[FaceShape]:
    known = shown.several(connection, sorted({row.asset for row in rows}))
    return [
        FaceShape(asset=known[row.asset], number=row.position + 1, person=UUID(bytes=row.uuid), name=row.name)
        for row in rows
    ]


def _person(row: Any) -> PersonShape:
    return PersonShape(
        uuid=UUID(bytes=row.uuid), name=row.name, faces=row.faces, assets=row.of, created=iso(row.created)
    )
