"""Vectors of assets and of faces in them, kept beside the results that gave them, in the same transaction."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Delete, Select, bindparam, delete, select

from loom.store.statements import any_of, compiled, fetch_each, insert, write_rows
from loom.store.tables import vectors
from loom.store.turns import Turn, wait_for_turn
from loom.verbs.people import FACES, MOST_FACES, MOST_NUMBERS

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

MOST_MODEL = 64
"""Characters of what stands for a model."""


class Told(NamedTuple):
    """A vector of a result: of which model it is, and its direction, as float16 of the length 1."""

    model: str
    bits: bytes


class Taken(NamedTuple):
    """What a result says by which assets or faces are alike, by the position among its items."""

    asset: int
    signature: int
    kind: str
    told: dict[int, Told]


def take(asset: int, signature: int, operator: str, outputs: bytes) -> Taken:
    """Of a result of one of `VECTORS`; outputs are a JSON object. What is of another form counts as missing."""
    said = msgspec.json.decode(outputs)
    values, models = said.get("vector"), said.get("model")
    if operator != FACES:
        values, models = [values], [models]
    if not isinstance(values, list) or not isinstance(models, list):
        return Taken(asset, signature, operator, {})
    pairs = enumerate(zip(values[:MOST_FACES], models, strict=False))
    return Taken(
        asset,
        signature,
        operator,
        {
            at: Told(model, bits)
            for at, (value, model) in pairs
            if isinstance(model, str) and 0 < len(model) <= MOST_MODEL and (bits := bits_of(value)) is not None
        },
    )


def bits_of(value: Any) -> bytes | None:
    """The direction of a vector, given as numbers or as base64 of float16; None for what is no vector."""
    import numpy as np

    try:
        given = base64.b64decode(value, validate=True) if isinstance(value, str) else np.array(value, np.float64)
        vector = np.frombuffer(given, "<f2").astype(np.float64) if isinstance(given, bytes) else given
    except (binascii.Error, ValueError, TypeError, OverflowError):
        return None
    if vector.ndim != 1 or not 0 < len(vector) <= MOST_NUMBERS or not np.isfinite(vector).all():
        return None
    longest = float(np.abs(vector).max())
    if not longest:
        return None
    vector = vector / longest  # so that no square is beyond what there is room for
    return bytes((vector / np.linalg.norm(vector)).astype("<f2").tobytes())


def directions(bits: Sequence[bytes]) -> Array:
    """Vectors of one model as rows of float32, of the length 1 as exactly as that goes."""
    import numpy as np

    rows = np.frombuffer(b"".join(bits), "<f2").astype(np.float32).reshape(len(bits), -1)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def add(connection: Connection, taken: Sequence[Taken], fresh: Collection[int] = ()) -> None:
    """Keeps vectors; assets that are `fresh` have none yet. One that stays the same stays with its person. As
    `fingerprints.add`, it must be among the last things of a transaction, so that numbers come to be seen in their
    order."""
    if not taken:
        return
    wait_for_turn(connection, Turn.VECTORS)
    last = {(one.asset, one.signature): one for one in taken}
    kept = _kept_vectors(connection, sorted({asset for asset, _ in last if asset not in fresh}))
    gone, come = [], []
    for key, one in sorted(last.items()):
        known = kept.get(key, {})
        gone += [(*key, at) for at, told in known.items() if one.told.get(at) != told]
        come += [(*key, at, one.kind, *told, None) for at, told in one.told.items() if known.get(at) != told]
    write_rows(connection, compiled(connection, _forget), sorted(gone))
    insert(connection, vectors, come)


def _kept_vectors(connection: Connection, numbers: Sequence[int]) -> dict[tuple[int, int], dict[int, Told]]:
    found: dict[tuple[int, int], dict[int, Told]] = {}
    for asset, signature, at, model, bits in fetch_each(connection, _kept, numbers):
        found.setdefault((asset, signature), {})[at] = Told(model, bytes(bits))
    return found


def _kept(count: int) -> Select[Any]:
    at = vectors.c
    return select(at.asset, at.signature, at.position, at.model, at.bits).where(any_of(at.asset, count))


def _forget() -> Delete:
    at = vectors.c
    return delete(vectors).where(
        at.asset == bindparam("of"), at.signature == bindparam("under"), at.position == bindparam("at")
    )
