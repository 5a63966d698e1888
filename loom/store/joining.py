"""People become one, or are kept apart."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, exists, insert, or_, select, update

from loom.store.tables import people, people_apart, vectors


def apart_from(connection: Connection, person: int) -> set[int]:
    """Who does not become one with somebody by itself: from whom they were split, and those of another name."""
    found = _split_from(connection, person)
    own = connection.execute(select(people.c.folded).where(people.c.id == person)).scalar()
    if own is not None:
        found.update(connection.execute(select(people.c.id).where(people.c.folded != own)).scalars())
    return found


def join(connection: Connection, one: int, other: int) -> int:
    """They are one from now on, who is returned: of the two the one with a name, else the one who was known first."""
    named = set(
        connection.execute(
            select(people.c.id).where(people.c.id.in_((one, other)), people.c.name.is_not(None))
        ).scalars()
    )
    kept, gone = sorted((one, other), key=lambda person: (person not in named, person))
    take_in(connection, kept, gone)
    return kept


def take_in(connection: Connection, person: int, other: int) -> None:
    """All faces of the other are of the person, who is apart from whom the other was."""
    connection.execute(update(vectors).where(vectors.c.person == other).values(person=person))
    for stranger in sorted(_split_from(connection, other) - {person} - _split_from(connection, person)):
        keep_apart(connection, person, stranger)
    forget(connection, {other})


def keep_apart(connection: Connection, one: int, other: int) -> None:
    connection.execute(insert(people_apart).values(one=min(one, other), other=max(one, other)))


def remove_empty(connection: Connection, persons: Collection[int]) -> None:
    """Those of them of whom no face is left are no more."""
    left = exists().where(vectors.c.person == people.c.id)
    empty = connection.execute(select(people.c.id).where(people.c.id.in_(persons), ~left)).scalars()
    forget(connection, set(empty))


def remove_all_empty(connection: Connection) -> None:
    """The same of all people."""
    left = exists().where(vectors.c.person == people.c.id)
    forget(connection, set(connection.execute(select(people.c.id).where(~left)).scalars()))


def forget(connection: Connection, persons: Collection[int]) -> None:
    for person in sorted(persons):
        pairs = or_(people_apart.c.one == person, people_apart.c.other == person)
        connection.execute(delete(people_apart).where(pairs))
        connection.execute(delete(people).where(people.c.id == person))


def _split_from(connection: Connection, person: int) -> set[int]:
    pairs = select(people_apart).where(or_(people_apart.c.one == person, people_apart.c.other == person))
    return {row.other if row.one == person else row.one for row in connection.execute(pairs)}
