"""A source lies elsewhere, with all that is known of it: that is neither a move nor a deletion of its files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Table, exists, select

from loom.store import merging, sources
from loom.store.locations import at_or_below, directory_numbers, ensure_directories
from loom.store.statements import change_rows
from loom.store.tables import directories, locations
from loom.store.tables import sources as names
from loom.store.values import directory_key, split_path


class _Step(NamedTuple):
    """A directory, or a source, and where it lies from now on."""

    number: int
    key: bytes
    new_key: bytes
    new_path: bytes


def move(connection: Connection, name: str, path: bytes, now: int) -> int:
    """Returns how many folders lie elsewhere now. Other sources at or below the moved one go with it. Raises
    `NOT_FOUND`, `REQUEST_INVALID`, `SOURCE_EXISTS`."""
    row = sources.row_of(connection, name, lock=True)
    path = sources.plain_path(path)
    if path == row.path:
        return 0
    _move_names(connection, row.host, row.path, path)
    statement = select(directories.c.id, directories.c.key, directories.c.path)
    known = connection.execute(statement.where(*at_or_below(row.host, row.path))).all()
    folders = _steps(known, row.host, row.path, path)
    if row.away is not None:
        _leave_others(connection, row)
    if folders:
        _make_room(connection, row.host, path, folders, now)
        _take(connection, directories, folders)
    else:
        _move_file(connection, row, path, now)
    return len(folders)


def _move_names(connection: Connection, host: str, old: bytes, new: bytes) -> None:
    rows = connection.execute(select(names.c.id, names.c.key, names.c.path).where(names.c.host == host)).all()
    steps = _steps([row for row in rows if _is_at_or_below(row.path, old)], host, old, new)
    others = {row.key for row in rows} - {step.key for step in steps}
    sources.refuse_taken(connection, [step.new_key for step in steps if step.new_key in others])
    _take(connection, names, steps)


def _leave_others(connection: Connection, source: Row[Any]) -> None:
    """Files that were found where the source was not are another disk's, and stay."""
    found = exists().where(locations.c.directory == directories.c.id, merging.found_after(source.away))
    statement = select(directories.c.path, directories.c.id).where(*at_or_below(source.host, source.path), found)
    shared: dict[bytes, int] = dict(connection.execute(statement).all())
    _put_aside(connection, directories, shared.values())
    others = ensure_directories(connection, source.host, set(shared))
    merging.part(connection, sorted((number, others[path]) for path, number in shared.items()), source.away)


def _make_room(connection: Connection, host: str, path: bytes, folders: Sequence[_Step], now: int) -> None:
    """What is known of the new paths so far goes into the folders that lie there from now on."""
    moved = {folder.number for folder in folders}
    keys = {folder.new_key: folder.number for folder in folders}
    statement = select(directories.c.key, directories.c.id).where(*at_or_below(host, path))
    there = connection.execute(statement).all()
    merging.merge(connection, {at: keys[key] for key, at in there if key in keys and at not in moved}, now)


def _move_file(connection: Connection, source: Row[Any], path: bytes, now: int) -> None:
    (folder, name), (new_folder, new_name) = split_path(source.path), split_path(path)
    for number in directory_numbers(connection, [directory_key(source.host, folder)]).values():
        to = ensure_directories(connection, source.host, {new_folder})[new_folder]
        merging.move_file(connection, (number, name), (to, new_name), now, source.away)


def _take(connection: Connection, table: Table, steps: Sequence[_Step]) -> None:
    """Those whose present path another one takes step aside first."""
    wanted = {step.new_key for step in steps}
    _put_aside(connection, table, (step.number for step in steps if step.key in wanted))
    change_rows(connection, table, ("key", "path"), [(step.new_key, step.new_path, step.number) for step in steps])


def _put_aside(connection: Connection, table: Table, numbers: Iterable[int]) -> None:
    """Keys that no path has."""
    rows = [(b"aside" + number.to_bytes(8, "big"), number) for number in sorted(numbers)]
    change_rows(connection, table, ("key",), rows)


def _steps(rows: Iterable[tuple[int, bytes, bytes]], host: str, old: bytes, new: bytes) -> list[_Step]:
    """The rows (number, key, path), all of them at or below the old path."""
    steps = []
    for number, key, path in rows:
        new_path = _moved(path, old, new)
        steps.append(_Step(number, key, directory_key(host, new_path), new_path))
    return sorted(steps)


def _is_at_or_below(path: bytes, folder: bytes) -> bool:
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")


def _moved(path: bytes, old: bytes, new: bytes) -> bytes:
    """A path at or below the old one, at the same place below the new one."""
    return new.rstrip(b"/") + (b"" if path == old else b"/" + path[len(old.rstrip(b"/")) + 1 :]) or b"/"
