"""What became of the bytes of assets at places: found, moved, gone, returned, replaced.

Written in the transactions that change `locations`. A file that was found and nothing else has no row here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Delete,
    Select,
    TextClause,
    Update,
    and_,
    bindparam,
    delete,
    exists,
    select,
    text,
    update,
)

from loom.shapes import Change, ChangeShape
from loom.store.statements import any_of, chunks, compiled, constant, fetch, fetch_each, insert, write_rows
from loom.store.tables import directories, location_changes, locations
from loom.store.values import MISSING, PRESENT, iso, join_path, shown_path

CHANGES: tuple[Change, ...] = ("found", "moved", "gone", "returned", "replaced")
"""`location_changes.change` is the index here."""
FOUND, MOVED, GONE, RETURNED, REPLACED = range(5)

MOVED_WITHIN_US = 3600 * 1_000_000
"""A file that is gone was moved when the same bytes were first found elsewhere, at most so much earlier or later."""

At = tuple[int, bytes]
"""A place: the number of a directory and a name."""


class Lying(NamedTuple):
    """What lies at a place, or did."""

    asset: int
    state: int
    mtime_ns: int
    first_seen: int


class Met(NamedTuple):
    """Two files were known at what is one place now; `replaced` is the one that does not lie there."""

    place: At
    lies: Lying
    replaced: Lying | None


def lying(connection: Connection, places: Sequence[At]) -> dict[At, Lying]:
    """What is remembered of these places."""
    found: dict[At, Lying] = {}
    for piece in chunks(places):
        sql = compiled(connection, _at, len(piece))
        for directory, name, *rest in fetch(connection, sql, [part for place in piece for part in place]):
            found[directory, name] = Lying(*rest)
    return found


def note_placed(connection: Connection, before: dict[At, Lying], placed: Sequence[tuple[At, int]], now: int) -> None:
    """What it means that these assets lie at these places now."""
    rows: list[tuple[Any, ...]] = []
    fresh: list[tuple[At, int]] = []
    for at, asset in placed:
        was = before.get(at)
        if was is None:
            fresh.append((at, asset))
        elif was.asset == asset:
            if was.state == MISSING:
                rows.append((asset, *at, RETURNED, now, was.mtime_ns, None, None))
        else:
            rows += _replaced(connection, at, was, asset, now)
    insert(connection, location_changes, rows)
    _were_moved(connection, fresh, now)


def note_gone(connection: Connection, gone: dict[At, Lying], now: int) -> None:
    """These files are gone: moved, if their bytes were first found elsewhere a while ago."""
    there = _found_since(connection, sorted({was.asset for was in gone.values()}), now - MOVED_WITHIN_US)
    rows = []
    for at, was in sorted(gone.items()):
        elsewhere = [(seen, place) for seen, place in there.get(was.asset, ()) if seen > was.first_seen]
        elsewhere = [one for one in elsewhere if one[1] not in gone]
        change, to = (MOVED, max(elsewhere)[1]) if elsewhere else (GONE, (None, None))
        rows.append((was.asset, *at, change, now, was.mtime_ns, *to))
    insert(connection, location_changes, rows)


def take_over(connection: Connection, pairs: Sequence[tuple[int, int]]) -> None:
    """What became of files in directories became of them in others; what was moved from one to the other was not."""
    rows = [(to, at) for at, to in pairs]
    write_rows(connection, compiled(connection, _in_other_directory, "directory"), list(rows))
    write_rows(connection, compiled(connection, _in_other_directory, "to_directory"), list(rows))
    write_rows(connection, compiled(connection, _to_itself), [(to,) for _, to in pairs])


def take_over_file(connection: Connection, old: At, new: At) -> None:
    """The same for a single file."""
    write_rows(connection, compiled(connection, _at_other_place, "directory", "name"), [(*new, *old)])
    write_rows(connection, compiled(connection, _at_other_place, "to_directory", "to_name"), [(*new, *old)])
    write_rows(connection, compiled(connection, _to_itself), [(new[0],)])


def part(connection: Connection, pairs: Sequence[tuple[int, int]]) -> None:
    """Of what became of files in directories, others take over what concerns the files that lie in them."""
    rows = [(to, at, to) for at, to in pairs]
    write_rows(connection, compiled(connection, _of_what_lies, "directory", "name"), list(rows))
    write_rows(connection, compiled(connection, _of_what_lies, "to_directory", "to_name"), list(rows))


def note_met(connection: Connection, met: Sequence[Met], now: int) -> None:
    """What it means that files which were known at two places are known at one."""
    last = _last_changes(connection, sorted({one.place[0] for one in met}))
    rows: list[tuple[Any, ...]] = []
    for place, lies, replaced in met:
        if replaced is not None:
            former = (replaced.asset, *place)
            if former not in last:
                rows.append((*former, FOUND, replaced.first_seen, replaced.mtime_ns, None, None))
            if replaced.state != MISSING:
                rows.append((*former, REPLACED, now, replaced.mtime_ns, None, None))
        if lies.state != MISSING and last.get((lies.asset, *place)) in (GONE, MOVED, REPLACED):
            rows.append((lies.asset, *place, RETURNED, now, lies.mtime_ns, None, None))
    insert(connection, location_changes, rows)


def of_asset(connection: Connection, asset: int) -> dict[At, list[tuple[ChangeShape, int]]]:
    """What became of an asset at each place, the oldest first, each with the mtime (nanoseconds) of the file."""
    to = directories.alias()
    statement = (
        select(location_changes, directories.c.path, to.c.path.label("to_path"))
        .join(directories, directories.c.id == location_changes.c.directory)
        .outerjoin(to, to.c.id == location_changes.c.to_directory)
        .where(location_changes.c.asset == asset)
        .order_by(location_changes.c.id)
    )
    found: dict[At, list[tuple[ChangeShape, int]]] = {}
    for row in connection.execute(statement):
        path = join_path(row.path, row.name) if row.to_path is None else join_path(row.to_path, row.to_name)
        told = ChangeShape(change=CHANGES[row.change], time=iso(row.time), path=shown_path(path))
        found.setdefault((row.directory, row.name), []).append((told, row.mtime_ns))
    return found


def _replaced(connection: Connection, at: At, was: Lying, asset: int, now: int) -> Iterable[tuple[Any, ...]]:
    """Another asset lies at a place. That the former was found there is written down now, for `first_seen` stays."""
    if not _has_history(connection, was.asset, at):
        yield (was.asset, *at, FOUND, was.first_seen, was.mtime_ns, None, None)
    if was.state != MISSING:
        yield (was.asset, *at, REPLACED, now, was.mtime_ns, None, None)
    yield (asset, *at, RETURNED if _has_history(connection, asset, at) else FOUND, now, was.mtime_ns, None, None)


def _has_history(connection: Connection, asset: int, at: At) -> bool:
    return bool(fetch(connection, compiled(connection, _history_at), (asset, *at)))


def _were_moved(connection: Connection, fresh: Sequence[tuple[At, int]], now: int) -> None:
    """Files of the same bytes that were found gone a while before were moved to where these lie."""
    at_of = {asset: at for at, asset in fresh}
    for number, asset in fetch_each(connection, _gone_since, sorted(at_of), (now - MOVED_WITHIN_US,)):
        directory, name = at_of[asset]
        moved = update(location_changes).where(location_changes.c.id == number)
        connection.execute(moved.values(change=MOVED, to_directory=directory, to_name=name))


def _found_since(connection: Connection, numbers: Sequence[int], since: int) -> dict[int, list[tuple[int, At]]]:
    found: dict[int, list[tuple[int, At]]] = {}
    for asset, directory, name, seen in fetch_each(connection, _present_since, numbers, (since,)):
        found.setdefault(asset, []).append((seen, (directory, name)))
    return found


def _last_changes(connection: Connection, numbers: Sequence[int]) -> dict[tuple[int, int, bytes], int]:
    """Of each asset at each place in these directories."""
    rows = fetch_each(connection, _changes_in, numbers)
    return {(asset, directory, name): change for asset, directory, name, change in rows}


def _at(count: int) -> TextClause:
    values = ", ".join(f"(:d{n}, :n{n})" for n in range(count))
    columns = "directory, name, asset, state, mtime_ns, first_seen"
    here = "directory = wanted.column1 AND name = wanted.column2"
    return text(f"SELECT {columns} FROM (VALUES {values}) AS wanted CROSS JOIN locations WHERE {here}")  # noqa: S608


def _history_at() -> Select[tuple[int]]:
    at = location_changes.c
    here = (at.asset == bindparam("of"), at.directory == bindparam("in"), at.name == bindparam("called"))
    return select(at.id).where(*here)


def _gone_since(count: int) -> Select[tuple[int, int]]:
    at = location_changes.c
    return select(at.id, at.asset).where(
        at.time >= bindparam("since"), any_of(at.asset, count), at.change == constant(GONE)
    )


def _present_since(count: int) -> Select[tuple[int, int, bytes, int]]:
    at = locations.c
    return select(at.asset, at.directory, at.name, at.first_seen).where(
        at.first_seen >= bindparam("since"), any_of(at.asset, count), at.state == constant(PRESENT)
    )


def _changes_in(count: int) -> Select[tuple[int, int, bytes, int]]:
    at = location_changes.c
    return select(at.asset, at.directory, at.name, at.change).where(any_of(at.directory, count)).order_by(at.id)


def _in_other_directory(column: str) -> Update:
    here = location_changes.c[column]
    return update(location_changes).values({column: bindparam("to")}).where(here == bindparam("at"))


def _at_other_place(directory: str, name: str) -> Update:
    here = (location_changes.c[directory] == bindparam("at"), location_changes.c[name] == bindparam("called"))
    return update(location_changes).values({directory: bindparam("to"), name: bindparam("new_name")}).where(*here)


def _of_what_lies(directory: str, name: str) -> Update:
    at = location_changes.c
    same = and_(locations.c.name == at[name], locations.c.asset == at.asset)
    lies = exists().where(locations.c.directory == bindparam("in"), same)
    changed = update(location_changes).values({directory: bindparam("to")})
    return changed.where(at[directory] == bindparam("at"), lies)


def _to_itself() -> Delete:
    at = location_changes.c
    return delete(location_changes).where(
        at.directory == bindparam("at"), at.to_directory == at.directory, at.to_name == at.name
    )
