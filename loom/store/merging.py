"""Files are brought to places where others may be known, without having been moved or deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Delete, TextClause, Update, and_, bindparam, delete, exists, text, update
from sqlalchemy.sql import ColumnElement

from loom.store import history
from loom.store.history import At, Lying
from loom.store.statements import Row, chunks, compiled, fetch, upsert, write_rows
from loom.store.tables import directories, locations
from loom.store.values import MISSING, PRESENT, UNREACHABLE, folded

_BEST_FIRST = (PRESENT, UNREACHABLE, MISSING)
_COLUMNS = ("asset", "size", "mtime_ns", "inode", "device", "state", "trusted", "first_seen", "last_seen")


class _File(NamedTuple):
    """What a row of `locations` says of its place."""

    asset: int
    size: int
    mtime_ns: int
    inode: int
    device: int
    state: int
    trusted: int
    first_seen: int
    last_seen: int

    def at(self, place: At) -> Row:
        return (*place, *self, folded(place[1]))

    @property
    def lying(self) -> Lying:
        return Lying(self.asset, self.state, self.mtime_ns, self.first_seen)


class _Meeting(NamedTuple):
    """A file is brought to a place where one is known."""

    place: At
    brought: _File
    known: _File

    @property
    def lies(self) -> _File:
        """What is known of the place from now on. Of the same content: what was seen best, and last. Else the file
        that is brought, unless it was gone before."""
        if self.brought.asset != self.known.asset:
            return self.known if self.brought.state == MISSING else self.brought
        both = (self.brought, self.known)
        best = min(both, key=lambda file: (_BEST_FIRST.index(file.state), -file.last_seen))
        return best._replace(first_seen=min(file.first_seen for file in both))


def merge(connection: Connection, into: Mapping[int, int], now: int) -> None:
    """What is known of directories is known of others from now on, in which files lie that count as brought there."""
    for piece in chunks(sorted(into.items())):
        pairs = sorted(set(piece))
        meetings = list(dict.fromkeys(_meetings(connection, piece)))
        write_rows(connection, compiled(connection, _forget_met), list(pairs))
        write_rows(connection, compiled(connection, _take_over), [(to, at) for at, to in pairs])
        history.take_over(connection, pairs)
        _let_lie(connection, meetings, now)
        write_rows(connection, compiled(connection, _remove), [(at,) for at, _ in pairs])


def part(connection: Connection, pairs: Sequence[tuple[int, int]], since: int) -> None:
    """The files that were found in directories after that time are known in others from now on, with what became of
    them."""
    for at, to in pairs:
        here = (locations.c.directory == at, found_after(since))
        connection.execute(update(locations).values(directory=to).where(*here))
    history.part(connection, pairs)


def found_after(since: int) -> ColumnElement[bool]:
    return and_(locations.c.state == PRESENT, locations.c.last_seen > since)


def move_file(connection: Connection, old: At, new: At, now: int, away: int | None) -> None:
    """A file, if it is known, is brought to another place; not one that was found after the time `away`."""
    brought, known = _file_at(connection, old), _file_at(connection, new)
    if brought is None or (away is not None and brought.state == PRESENT and brought.last_seen > away):
        return
    write_rows(connection, compiled(connection, _forget), [old])
    history.take_over_file(connection, old, new)
    upsert(connection, locations, [brought.at(new)])
    if known is not None:
        _let_lie(connection, [_Meeting(new, brought, known)], now)


def _let_lie(connection: Connection, meetings: Sequence[_Meeting], now: int) -> None:
    rows: list[Row] = []
    met: list[history.Met] = []
    for meeting in meetings:
        lies = meeting.lies
        if lies != meeting.brought:
            rows.append(lies.at(meeting.place))
        others = (file.lying for file in (meeting.brought, meeting.known) if file.asset != lies.asset)
        met.append(history.Met(meeting.place, lies.lying, next(others, None)))
    upsert(connection, locations, rows)
    history.note_met(connection, met, now)


def _meetings(connection: Connection, pairs: Sequence[tuple[int, int]]) -> list[_Meeting]:
    sql = compiled(connection, _in_both, len(pairs))
    rows = fetch(connection, sql, [part for pair in pairs for part in pair])
    size = len(_COLUMNS)
    return [_Meeting(row[:2], _File(*row[2 : 2 + size]), _File(*row[2 + size :])) for row in rows]


def _file_at(connection: Connection, place: At) -> _File | None:
    rows = fetch(connection, compiled(connection, _at), place)
    return _File(*rows[0]) if rows else None


def _in_both(count: int) -> TextClause:
    """Files of the same name in directories and in those that they go into."""
    values = ", ".join(f"(:a{n}, :b{n})" for n in range(count))
    columns = ", ".join(f"{table}.{column}" for table in ("brought", "known") for column in _COLUMNS)
    return text(
        f"SELECT brought.directory, brought.name, {columns} FROM (VALUES {values}) AS pair"  # noqa: S608
        " CROSS JOIN locations AS known JOIN locations AS brought"
        " ON brought.directory = pair.column2 AND brought.name = known.name WHERE known.directory = pair.column1"
    )


def _at() -> TextClause:
    columns = ", ".join(_COLUMNS)
    return text(f"SELECT {columns} FROM locations WHERE directory = :directory AND name = :name")  # noqa: S608


def _forget() -> Delete:
    here = (locations.c.directory == bindparam("at"), locations.c.name == bindparam("called"))
    return delete(locations).where(*here)


def _forget_met() -> Delete:
    """Files of a directory whose names there are in the other one too."""
    other = locations.alias()
    also = exists().where(other.c.directory == bindparam("to"), other.c.name == locations.c.name)
    return delete(locations).where(locations.c.directory == bindparam("at"), also)


def _take_over() -> Update:
    return update(locations).values(directory=bindparam("to")).where(locations.c.directory == bindparam("at"))


def _remove() -> Delete:
    return delete(directories).where(directories.c.id == bindparam("number"))
