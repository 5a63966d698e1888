"""Assets: their numbers inside the database, and finding them by what is known of them outside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Select, Update, bindparam, select, update

from loom.errors import LoomError
from loom.model import AssetReport, asset_uuid
from loom.store.statements import any_of, compiled, fetch_each, insert, upsert, write_rows
from loom.store.tables import asset_hashes, assets, directories, locations
from loom.store.values import clean, directory_key, split_path

HASHES: dict[str, str] = {"hash.sha256": "sha256", "hash.sha512": "sha512", "hash.md5": "md5"}
"""Operators whose results give another hash of the bytes, and the output that holds it in hexadecimal."""


def known(connection: Connection, digests: Sequence[bytes]) -> dict[bytes, int]:
    """The numbers of those assets that exist."""
    return dict(fetch_each(connection, _by_digest, digests))


def ensure(connection: Connection, reports: Sequence[AssetReport], now: int) -> tuple[dict[bytes, int], set[bytes]]:
    """The numbers of all assets reported, and which of them are new: nobody else can have stored anything for
    them. What a newer worker says of an asset's type replaces what was known."""
    wanted = {report.blake3: (report.size, clean(report.mime), str(report.kind)) for report in reports}
    ids: dict[bytes, int] = {}
    retyped = []
    for number, digest, mime, kind in fetch_each(connection, _typed, list(wanted)):
        ids[digest] = number
        if wanted[digest][1:] != (mime, kind):
            retyped.append((*wanted[digest][1:], number))
    fresh = set(wanted.keys() - ids.keys())
    if fresh:
        # in the order of the digests, so that two writers cannot wait for each other
        rows = [(digest, *wanted[digest], now) for digest in sorted(fresh)]
        all_new = insert(connection, assets, rows) == len(rows)
        ids.update(known(connection, list(fresh)))
        if not all_new:  # another writer came first with some of them
            fresh = set()
    write_rows(connection, compiled(connection, _retype), sorted(retyped, key=itemgetter(2)))
    return ids, fresh


def known_sizes(connection: Connection, sizes: Sequence[int]) -> set[int]:
    """Which of these sizes some asset has."""
    return {size for (size,) in fetch_each(connection, _by_size, sizes)}


def add_hashes(connection: Connection, found: Iterable[tuple[int, str, bytes]]) -> None:
    """Keeps other hashes of assets: (asset, operator, outputs in JSON). Outputs that hold no hash are passed over."""
    rows = []
    for asset, operator, outputs in found:
        algorithm = HASHES[operator]
        value = msgspec.json.decode(outputs).get(algorithm)
        try:
            rows.append((asset, algorithm, bytes.fromhex(value)))
        except (TypeError, ValueError):
            continue
    upsert(connection, asset_hashes, sorted(rows))


def by_uuid(connection: Connection, uuid: UUID) -> int:
    """The asset of that UUID; raises `NOT_FOUND`. The first 48 bits of a UUID are those of the hash, so the few assets
    that share them are compared."""
    low = uuid.bytes[:6]
    statement = select(assets.c.id, assets.c.blake3).where(
        assets.c.blake3 >= low, assets.c.blake3 <= low + b"\xff" * 26
    )
    for number, digest in connection.execute(statement):
        if asset_uuid(digest) == uuid:
            return int(number)
    raise LoomError("NOT_FOUND", f"There is no asset {uuid}.")


def by_hash(connection: Connection, algorithm: str, digest: bytes) -> int:
    """The asset with that hash, the oldest of several; raises `NOT_FOUND`."""
    if algorithm == "blake3":
        statement = select(assets.c.id).where(assets.c.blake3 == digest)
    elif algorithm in HASHES.values():
        statement = select(asset_hashes.c.asset).where(
            asset_hashes.c.algorithm == algorithm, asset_hashes.c.digest == digest
        )
    else:
        raise LoomError("REQUEST_INVALID", f"Assets cannot be found by {algorithm!r}.")
    number = connection.execute(statement.order_by(statement.selected_columns[0]).limit(1)).scalar()
    if number is None:
        raise LoomError("NOT_FOUND", f"No asset is known that has this {algorithm}.")
    return int(number)


def by_path(connection: Connection, host: str, path: bytes) -> int:
    """The asset that lies or last lay there; raises `NOT_FOUND`."""
    directory, name = split_path(path)
    statement = (
        select(locations.c.asset)
        .join(directories, directories.c.id == locations.c.directory)
        .where(directories.c.key == directory_key(host, directory), locations.c.name == name)
    )
    number = connection.execute(statement).scalar()
    if number is None:
        raise LoomError("NOT_FOUND", "No asset is known at this path.")
    return int(number)


def _by_digest(count: int) -> Select[tuple[bytes, int]]:
    return select(assets.c.blake3, assets.c.id).where(any_of(assets.c.blake3, count))


def _typed(count: int) -> Select[tuple[int, bytes, str, str]]:
    return select(assets.c.id, assets.c.blake3, assets.c.mime, assets.c.kind).where(any_of(assets.c.blake3, count))


def _by_size(count: int) -> Select[tuple[int]]:
    return select(assets.c.size).distinct().where(any_of(assets.c.size, count))


def _retype() -> Update:
    changed = update(assets).values(mime=bindparam("new_mime"), kind=bindparam("new_kind"))
    return changed.where(assets.c.id == bindparam("asset"))
