"""Faces are put with the people they are of, by what is near."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import Connection, Select, Update, bindparam, select, update
from sqlalchemy import insert as insert_into

from loom.errors import LoomError
from loom.store import assets
from loom.store.joining import apart_from, join, remove_empty
from loom.store.statements import Row, any_of, compiled, fetch, fetch_each, write_rows
from loom.store.tables import people, vectors
from loom.store.turns import Turn, wait_for_turn
from loom.store.vectorindex import VectorIndex, Vectors
from loom.store.vectors import bits_of
from loom.verbs.people import FACES, FARTHEST, MOST_FACES, Sorted

if TYPE_CHECKING:
    from loom.store.vectorindex import Array

_NEAREST = 5
"""So many of the faces of a person tell how far that person is."""
_LOOKED_AT = 256
"""So many of the nearest faces of all tell which people come into question."""
_SAME = 0.1
"""Of two looks at one face in one picture the vectors differ by less."""
_DIGITS = 6


class _Face(NamedTuple):
    """A stored vector of the asset; `person` is the number of whom it is with."""

    number: int
    position: int
    bits: bytes
    person: int | None


class _Fit(NamedTuple):
    """Somebody the face may be: how far they are in the mean, and their faces that are nearest to it."""

    distance: float
    person: int
    faces: tuple[int, ...]


def sort(
    connection: Connection,
    index: VectorIndex,
    asset: bytes,
    model: str,
    given: Sequence[Any],
    distance: float,
    now: int,
) -> list[Sorted | None]:
    """See `loom.verbs.people.Sorting`. The caller is alone with the index."""
    if not 0 <= distance <= FARTHEST or len(given) > MOST_FACES:
        raise LoomError(
            "REQUEST_INVALID", f"A distance is 0 to {FARTHEST:g}, and an asset has at most {MOST_FACES:,} faces."
        )
    wait_for_turn(connection, Turn.PEOPLE)  # so that two writers do not make somebody each of one person
    known = assets.known(connection, [asset])
    stored = _stored(connection, known[asset], model) if asset in known else []
    chosen = _chosen(stored, given)
    others = {face.number: face.person for face in stored if face.number not in chosen.values() and face.person}
    sorting = _Sorting(connection, index.caught_up(connection, FACES, model), distance, now)
    with_whom = {face.number: face.person for face in stored}
    made: set[int] = set()
    for number in chosen.values():
        if with_whom[number] is None:
            with_whom[number] = sorting.place(number, others, made)
    _let_go(connection, others)
    remove_empty(connection, set(others.values()))
    return sorting.told(chosen, len(given), made)


def _chosen(stored: Sequence[_Face], given: Sequence[Any]) -> dict[int, int]:
    """Of each position the number of the stored vector that was given there: if it is there several times, because it
    came of nodes with different options, one that is with somebody, else the newest."""
    chosen: dict[int, _Face] = {}
    wanted = [bits_of(value) for value in given]
    for face in stored:
        if face.position < len(wanted) and wanted[face.position] == face.bits:
            known = chosen.get(face.position)
            if known is None or known.person is None:
                chosen[face.position] = face
    return {at: face.number for at, face in sorted(chosen.items())}


class _Sorting:
    """Puts new faces with people, one after the other."""

    def __init__(self, connection: Connection, index: Vectors, distance: float, now: int) -> None:
        self._connection = connection
        self._index = index
        self._distance = distance
        self._now = now

    def place(self, number: int, others: dict[int, int], made: set[int]) -> int | None:
        """The person with whom the face is from now on; None if its vector is not comparable with the first that was
        stored of its model. Of the `others` one whose place it takes is dealt with."""
        vector = self._index.rows([number]).get(number)
        if vector is None:
            return None
        earlier = self._earlier(vector, others)
        fits = [] if earlier is not None else self._fits(number, vector)
        if earlier is not None:
            person = others.pop(earlier)
            _put(self._connection, [(None, earlier)])
        elif fits:
            person = fits[0].person
        else:
            person = _somebody_new(self._connection, self._now)
            made.add(person)
        _put(self._connection, [(person, number)])
        self._join(number, fits)
        return person

    def told(self, chosen: dict[int, int], count: int, made: set[int]) -> list[Sorted | None]:
        """With whom the faces are in the end."""
        numbers = sorted(chosen.values())
        rows = fetch_each(self._connection, _with, numbers)
        found = {number: (person, bytes(uuid)) for number, person, uuid in rows}
        at = (found.get(chosen.get(position, -1)) for position in range(count))
        return [None if one is None else Sorted(UUID(bytes=one[1]), one[0] in made) for one in at]

    def _earlier(self, vector: Array, others: Iterable[int]) -> int | None:
        """The same face as it was seen before."""
        rows = self._index.rows(list(others))
        apart = [(_apart(vector, row), number) for number, row in rows.items()]
        nearest = min(apart, default=(FARTHEST, -1))
        return nearest[1] if nearest[0] <= _SAME else None

    def _fits(self, number: int, vector: Array) -> list[_Fit]:
        """Who comes into question, the nearest first."""
        near = self._index.near(vector, _LOOKED_AT, self._distance)
        numbers = [one.number for one in near if one.number != number]
        with_whom = self._people_of(numbers)
        apart = dict(near)
        faces: dict[int, list[tuple[float, int]]] = {}
        for one in numbers:
            if (person := with_whom.get(one)) is not None:
                faces.setdefault(person, []).append((apart[one], one))
        few = [person for person, seen in faces.items() if len(seen) < _NEAREST]
        faces.update(self._all_faces(few, number, vector))
        fits = []
        for person, seen in faces.items():
            nearest = sorted(seen)[:_NEAREST]
            mean = sum(distance for distance, _ in nearest) / len(nearest)
            fits.append(_Fit(round(mean, _DIGITS), person, tuple(one for _, one in nearest)))
        return sorted(fit for fit in fits if fit.distance <= self._distance)

    def _people_of(self, numbers: Sequence[int]) -> dict[int, int | None]:
        """With whom faces are; those that are no more are dropped from memory."""
        found: dict[int, int | None] = dict(fetch_each(self._connection, _persons, numbers))
        self._index.drop([number for number in numbers if number not in found])
        return found

    def _all_faces(self, people_asked: Sequence[int], but: int, vector: Array) -> dict[int, list[tuple[float, int]]]:
        """All faces of these people with their distance from the vector."""
        found: dict[int, list[tuple[float, int]]] = {}
        with_whom: dict[int, int] = dict(fetch_each(self._connection, _faces_of, people_asked))
        for number, row in self._index.rows([one for one in with_whom if one != but]).items():
            found.setdefault(with_whom[number], []).append((_apart(vector, row), number))
        return found

    def _join(self, number: int, fits: Sequence[_Fit]) -> None:
        """The first of the people with whom a face fits takes in those of the others who turn out to be the same."""
        if len(fits) < 2:
            return
        first, *others = fits
        rows = self._index.rows([number, *(one for fit in fits for one in fit.faces)])
        own = [rows[one] for one in (*first.faces, number)]
        kept = first.person
        for other in others:
            pairs = [_apart(a, rows[b]) for a, b in product(own, other.faces)]
            if sum(pairs) / len(pairs) <= self._distance and other.person not in apart_from(self._connection, kept):
                kept = join(self._connection, kept, other.person)


def _apart(one: Array, other: Array) -> float:
    return round(max(1 - float(one @ other), 0.0), _DIGITS)


def _stored(connection: Connection, asset: int, model: str) -> list[_Face]:
    rows = fetch(connection, compiled(connection, _of_asset), (asset, FACES, model))
    return [_Face(number, at, bytes(bits), person) for number, at, bits, person in rows]


def _somebody_new(connection: Connection, now: int) -> int:
    made = insert_into(people).values(uuid=uuid4().bytes, created=now)
    return int(connection.execute(made.returning(people.c.id)).scalar_one())


def _put(connection: Connection, rows: list[Row]) -> None:
    """Puts faces (by their number, the last) with people, or with nobody."""
    write_rows(connection, compiled(connection, _change_person), rows)


def _let_go(connection: Connection, numbers: Iterable[int]) -> None:
    _put(connection, [(None, number) for number in sorted(numbers)])


def _change_person() -> Update:
    return update(vectors).values(person=bindparam("with_whom")).where(vectors.c.id == bindparam("number"))


def _of_asset() -> Select[Any]:
    at = vectors.c
    of_it = (at.asset == bindparam("asset"), at.kind == bindparam("kind"), at.model == bindparam("model"))
    return select(at.id, at.position, at.bits, at.person).where(*of_it).order_by(at.id)


def _persons(count: int) -> Select[Any]:
    return select(vectors.c.id, vectors.c.person).where(any_of(vectors.c.id, count))


def _faces_of(count: int) -> Select[Any]:
    return select(vectors.c.id, vectors.c.person).where(any_of(vectors.c.person, count))


def _with(count: int) -> Select[Any]:
    at = vectors.c
    return select(at.id, at.person, people.c.uuid).join(people, people.c.id == at.person).where(any_of(at.id, count))
