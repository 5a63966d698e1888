"""Locations: where the bytes of assets lie, looked up a directory at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import Connection, Delete, Select, Update, and_, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.sql import ColumnElement

from loom.model import FoundAt, Kind, KnownFile
from loom.store import history
from loom.store.statements import any_of, compiled, constant, fetch, fetch_each, insert, upsert, write_rows
from loom.store.tables import assets, collection_assets, collections, directories, locations, plans, settled
from loom.store.values import (
    ALL_BITS,
    MISSING,
    PRESENT,
    UNREACHABLE,
    clean,
    directory_key,
    folded,
    join_path,
    signed,
    split_path,
)

_PLACES = 1000


def place(
    connection: Connection,
    host: str,
    found: Sequence[tuple[int, FoundAt]],
    now: int,
    new: Set[int] = frozenset(),
) -> None:
    """Remembers where assets (by number) were found; `new` are those that were not known before."""
    directory_of = ensure_directories(connection, host, {at.directory for _, at in found})
    rows = [
        (
            directory_of[at.directory],
            at.name,
            asset,
            signed(at.stat.size),
            signed(at.stat.mtime_ns),
            signed(at.stat.inode),
            signed(at.stat.device),
            PRESENT,
            int(at.trusted),
            now,
            now,
            folded(at.name),
        )
        for asset, at in found
    ]
    rows.sort(key=itemgetter(0, 1))  # one order for all writers, so that none waits for another in a circle
    before: dict[history.At, history.Lying] = {}
    if insert(connection, locations, rows) < len(rows):
        there = history.lying(connection, [(row[0], row[1]) for row in rows])
        before = {at: was for at, was in there.items() if was.first_seen != now}
        upsert(connection, locations, rows, keep=("first_seen",))
    placed = [((row[0], row[1]), row[2]) for row in rows if row[2] not in new or (row[0], row[1]) in before]
    history.note_placed(connection, before, placed, now)


def ensure_directories(connection: Connection, host: str, paths: set[bytes]) -> dict[bytes, int]:
    """The numbers of directories, which are known from now on."""
    keys = {directory_key(host, path): path for path in paths}
    numbers = directory_numbers(connection, list(keys))
    missing = sorted(keys.keys() - numbers.keys())
    if missing:
        insert(connection, directories, [(key, clean(host), keys[key]) for key in missing])
        numbers.update(directory_numbers(connection, missing))
    return {path: numbers[key] for key, path in keys.items()}


def directory_numbers(connection: Connection, keys: Sequence[bytes]) -> dict[bytes, int]:
    """Of the directories with these keys, as far as they are known."""
    return dict(fetch_each(connection, _directories_by_key, keys))


def known_files(connection: Connection, host: str, paths: Sequence[bytes], plan: bytes) -> list[list[KnownFile]]:
    """For each directory the files remembered directly in it. A file that cannot be reached counts as present, as
    nothing is known of its end; but it is not settled: there is something to do for it once it is back, if only
    `mark_present`."""
    row = fetch(connection, compiled(connection, _plan_by_digest), (plan,))
    number = row[0][0] if row else 0
    sql = compiled(connection, _files_of)
    return [
        [
            KnownFile(
                name,
                size,
                mtime,
                inode & ALL_BITS,
                device & ALL_BITS,
                state != MISSING,
                failed is not None and state == PRESENT,
                digest,
                failed == 1,
                failed is not None and state == UNREACHABLE,
            )
            for name, size, mtime, inode, device, state, failed, digest in fetch(
                connection, sql, (number, directory_key(host, path))
            )
        ]
        for path in paths
    ]


def known_directories(connection: Connection, host: str, root: bytes) -> list[bytes]:
    """Directories at or below `root` in which some file is present, or cannot be reached."""
    remembered = exists().where(locations.c.directory == directories.c.id, locations.c.state != MISSING)
    statement = select(directories.c.path).where(*at_or_below(host, root), remembered).order_by(directories.c.path)
    return list(connection.execute(statement).scalars())


def known_places(connection: Connection, host: str, files: Sequence[tuple[bytes, bytes]]) -> list[bool]:
    """Of each file (directory, name) whether one is remembered there, be it missing."""
    places = _places_of(connection, host, files)
    there = history.lying(connection, [place for place in places if place is not None])
    return [place in there for place in places]


def mark_missing(connection: Connection, host: str, files: Sequence[tuple[bytes, bytes]], now: int) -> int:
    """The files (directory, name) are gone; returns how many were present until now."""
    rows = sorted(place for place in _places_of(connection, host, files) if place is not None)
    before = {at: was for at, was in history.lying(connection, rows).items() if was.state != MISSING}
    gone = write_rows(connection, compiled(connection, _mark_gone, PRESENT), list(rows))
    write_rows(connection, compiled(connection, _mark_gone, UNREACHABLE), list(rows))
    history.note_gone(connection, before, now)
    return gone


def mark_present(connection: Connection, host: str, files: Sequence[tuple[bytes, bytes]], device: int) -> int:
    """The files (directory, name) can be reached again, and lie on `device`; returns how many could not be reached."""
    places = sorted(place for place in _places_of(connection, host, files) if place is not None)
    rows = [(signed(device), *place) for place in places]
    return write_rows(connection, compiled(connection, _mark_back), list(rows))


def _places_of(
    connection: Connection, host: str, files: Sequence[tuple[bytes, bytes]]
) -> list[tuple[int, bytes] | None]:
    """Of each file the number of its directory, and its name; None where the directory is not known."""
    keys = {directory: directory_key(host, directory) for directory, _ in files}
    numbers = directory_numbers(connection, sorted(keys.values()))
    return [(numbers[keys[at]], name) if keys[at] in numbers else None for at, name in files]


def mark_unreachable(connection: Connection, host: str, root: bytes, device: int | None = None) -> int:
    """Present files below `root`, or `root` itself if it is a file, cannot be reached for now; returns how many. Only
    those that lay on `device`, if one is given."""
    directory, name = split_path(root)
    above = select(directories.c.id).where(directories.c.key == directory_key(host, directory))
    below = select(directories.c.id).where(*at_or_below(host, root))
    itself = and_(locations.c.directory == above.scalar_subquery(), locations.c.name == name)
    here = or_(locations.c.directory.in_(below), itself)
    statement = update(locations).values(state=UNREACHABLE).where(here, locations.c.state == PRESENT)
    if device is not None:
        statement = statement.where(locations.c.device == signed(device))
    return connection.execute(statement).rowcount


def settle(connection: Connection, done: Mapping[tuple[int, int], bool], undone: Iterable[tuple[int, int]]) -> None:
    """Nothing, or something, is left to do for these assets, each under a plan; of those that are done, whether some
    node had failed on them."""
    write_rows(connection, compiled(connection, _unsettle), sorted(undone))
    upsert(connection, settled, sorted((*key, int(failed)) for key, failed in done.items()))


def places(
    connection: Connection, host: str, kind: Kind | None, collection: str | None, after: int
) -> Iterator[tuple[int, bytes]]:
    """Assets with a number above `after` and the path of one present file of each on this host; at most some hundred:
    ask again after the last until nothing comes."""
    statement = (
        select(locations.c.asset, directories.c.path, locations.c.name)
        .join(directories, directories.c.id == locations.c.directory)
        .where(locations.c.state == PRESENT, directories.c.host == clean(host), locations.c.asset > after)
        .where(on_disk())
        .order_by(locations.c.asset, locations.c.directory, locations.c.name)
        .limit(_PLACES)
    )
    if kind is not None:
        statement = statement.join(assets, assets.c.id == locations.c.asset).where(assets.c.kind == str(kind))
    if collection is not None:
        statement = statement.where(locations.c.asset.in_(in_collection(collection)))
    last = after
    for asset, directory, name in connection.execute(statement):
        if asset != last:
            last = asset
            yield asset, join_path(directory, name)


class Original(NamedTuple):
    """A file as it was when it was last read."""

    path: bytes
    size: int
    mtime_ns: int
    mime: str


def originals(connection: Connection, asset: int, host: str) -> list[Original]:
    """The present files of an asset on a host."""
    statement = (
        select(directories.c.path, locations.c.name, locations.c.size, locations.c.mtime_ns, assets.c.mime)
        .join(directories, directories.c.id == locations.c.directory)
        .join(assets, assets.c.id == locations.c.asset)
        .where(locations.c.asset == asset, locations.c.state == PRESENT, directories.c.host == clean(host), on_disk())
        .order_by(directories.c.path, locations.c.name)
    )
    return [Original(join_path(row[0], row[1]), *row[2:]) for row in connection.execute(statement)]


def on_disk() -> ColumnElement[bool]:
    """Directories of a machine, not of a store or of the web."""
    return and_(directories.c.path >= b"/", directories.c.path < b"0")


def at_or_below(host: str, root: bytes) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Directories of a host, as conditions."""
    prefix = root.rstrip(b"/") + b"/"
    here = or_(
        directories.c.path == (root.rstrip(b"/") or b"/"),
        func.substr(directories.c.path, 1, len(prefix)) == prefix,
    )
    return directories.c.host == clean(host), here


def in_collection(name: str) -> Select[tuple[int]]:
    """The assets of a collection."""
    return (
        select(collection_assets.c.asset)
        .join(collections, collections.c.id == collection_assets.c.collection)
        .where(collections.c.name == clean(name))
    )


def _directories_by_key(count: int) -> Select[tuple[bytes, int]]:
    return select(directories.c.key, directories.c.id).where(any_of(directories.c.key, count))


def _plan_by_digest() -> Select[tuple[int]]:
    return select(plans.c.id).where(plans.c.digest == bindparam("digest"))


def _files_of() -> Select[tuple[bytes, int, int, int, int, int, int, bytes]]:
    """Of a directory by its key; whether it failed where it is settled, be it out of reach; the asset's digest where it
    is not."""
    is_done = and_(
        settled.c.asset == locations.c.asset,
        settled.c.plan == bindparam("plan"),
        locations.c.trusted == constant(1),
        locations.c.state != constant(MISSING),
    )
    is_not_settled = or_(settled.c.asset.is_(None), locations.c.state == constant(UNREACHABLE))
    needed = and_(assets.c.id == locations.c.asset, is_not_settled, locations.c.trusted == constant(1))
    column = locations.c
    here = select(directories.c.id).where(directories.c.key == bindparam("key")).scalar_subquery()
    return (
        select(
            column.name, column.size, column.mtime_ns, column.inode, column.device, column.state,
            settled.c.failed, assets.c.blake3,
        )
        .select_from(locations.outerjoin(settled, is_done).outerjoin(assets, needed))
        .where(column.directory == here)
    )  # fmt: skip


def _mark_back() -> Update:
    return (
        update(locations)
        .values(state=constant(PRESENT), device=bindparam("on"))
        .where(
            locations.c.directory == bindparam("at"), locations.c.name == bindparam("called"),
            locations.c.state == constant(UNREACHABLE),
        )
    )  # fmt: skip


def _mark_gone(state: int) -> Update:
    return (
        update(locations)
        .values(state=constant(MISSING))
        .where(
            locations.c.directory == bindparam("at"), locations.c.name == bindparam("called"),
            locations.c.state == constant(state),
        )
    )  # fmt: skip


def _unsettle() -> Delete:
    return delete(settled).where(settled.c.asset == bindparam("of"), settled.c.plan == bindparam("under"))
