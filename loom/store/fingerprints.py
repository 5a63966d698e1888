"""Fingerprints of assets, kept beside the results that gave them, in the same transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Delete, Select, bindparam, delete, select

from loom.store.statements import any_of, compiled, fetch_each, insert, write_rows
from loom.store.tables import fingerprints
from loom.store.turns import Turn, wait_for_turn
from loom.verbs.library import FINGERPRINTS


class Taken(NamedTuple):
    """What a result says by which assets are alike. `bits` is None for one that says nothing, or nothing any more."""

    asset: int
    signature: int
    kind: str
    bits: bytes | None


def take(asset: int, signature: int, operator: str, outputs: bytes) -> Taken:
    """Of a result of one of `FINGERPRINTS`; outputs are a JSON object."""
    values = FINGERPRINTS[operator].values(msgspec.json.decode(outputs))
    return Taken(asset, signature, operator, values[0] if values else None)


def add(connection: Connection, taken: Sequence[Taken], fresh: Collection[int] = ()) -> None:
    """Keeps fingerprints; assets that are `fresh` have none yet. It must be the last thing of a transaction: from then
    on to its end nobody else adds any, so that numbers come to be seen in their order."""
    if not taken:
        return
    wait_for_turn(connection, Turn.FINGERPRINTS)
    last = {(one.asset, one.signature): one for one in taken}
    kept = _kept_bits(connection, sorted({asset for asset, _ in last if asset not in fresh}))
    changed = {key: one for key, one in last.items() if kept.get(key) != one.bits}
    write_rows(connection, compiled(connection, _forget), sorted(key for key in changed if key in kept))
    insert(connection, fingerprints, sorted(tuple(one) for one in changed.values() if one.bits is not None))


def _kept_bits(connection: Connection, numbers: Sequence[int]) -> dict[tuple[int, int], bytes]:
    rows = fetch_each(connection, _kept, numbers)
    return {(asset, signature): bytes(bits) for asset, signature, bits in rows}


def _kept(count: int) -> Select[tuple[int, int, bytes]]:
    at = fingerprints.c
    return select(at.asset, at.signature, at.bits).where(any_of(at.asset, count))


def _forget() -> Delete:
    at = fingerprints.c
    return delete(fingerprints).where(at.asset == bindparam("of"), at.signature == bindparam("under"))
