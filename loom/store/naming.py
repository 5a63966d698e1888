"""People are named, joined and split by who knows them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import Connection, delete, func, insert, select, update

from loom.errors import LoomError
from loom.people import FaceAt
from loom.store import assets
from loom.store.joining import keep_apart, take_in
from loom.store.persons import number_of
from loom.store.tables import people, people_apart, vectors
from loom.store.values import clean, folded_query

MOST_NAME = 200
"""Characters."""


def name(connection: Connection, uuid: UUID, called: str | None) -> None:
    """See `loom.verbs.People.name_person`."""
    said = None if called is None else clean(called).strip()
    if said is not None and not 0 < len(said) <= MOST_NAME:
        raise LoomError("REQUEST_INVALID", f"A name has 1 to {MOST_NAME} characters.")
    number = number_of(connection, uuid)
    folded = None if said is None else folded_query(said)
    connection.execute(update(people).where(people.c.id == number).values(name=said, folded=folded))


def merge(connection: Connection, uuid: UUID, others: Sequence[UUID]) -> None:
    """See `loom.verbs.People.merge_people`."""
    person = number_of(connection, uuid)
    for other in dict.fromkeys(others):
        number = number_of(connection, other)
        if number == person:
            continue
        called = _name_of(connection, person) or _name_of(connection, number)
        pair = (people_apart.c.one == min(person, number), people_apart.c.other == max(person, number))
        connection.execute(delete(people_apart).where(*pair))
        take_in(connection, person, number)
        name(connection, uuid, called)


def split(connection: Connection, uuid: UUID, faces: Sequence[FaceAt], now: int) -> UUID:
    """See `loom.verbs.People.split_person`; gives who the faces are of."""
    person = number_of(connection, uuid)
    numbers = sorted({_number(connection, person, face) for face in faces})
    theirs = select(func.count()).select_from(vectors).where(vectors.c.person == person)
    if not 0 < len(numbers) < connection.execute(theirs).scalar_one():
        raise LoomError("REQUEST_INVALID", "Name at least one face of the person, and leave at least one.")
    new = uuid4()
    made = insert(people).values(uuid=new.bytes, created=now).returning(people.c.id)
    other = connection.execute(made).scalar_one()
    connection.execute(update(vectors).where(vectors.c.id.in_(numbers)).values(person=other))
    keep_apart(connection, person, other)
    return new


def _name_of(connection: Connection, person: int) -> str | None:
    return connection.execute(select(people.c.name).where(people.c.id == person)).scalar()


def _number(connection: Connection, person: int, face: FaceAt) -> int:
    at = vectors.c
    is_it = (at.asset == assets.by_uuid(connection, face.asset), at.position == face.number - 1, at.person == person)
    found = connection.execute(select(at.id).where(*is_it)).scalar()
    if found is None:
        raise LoomError("REQUEST_INVALID", f"Face {face.number} of asset {face.asset} is not of this person.")
    return int(found)
