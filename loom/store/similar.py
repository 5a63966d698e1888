"""Which assets have fingerprints near a given one: all fingerprints are in memory, and each question looks at each.

That takes a few milliseconds for a million of 64 bits; `benchmarks/similar.py` sets an index in the database beside it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, TextClause, exists, select, text

from loom.store.database import Database
from loom.store.statements import any_of, chunks, compiled, constant, fetch
from loom.store.tables import assets, fingerprints, locations
from loom.store.values import MISSING
from loom.verbs.library import FINGERPRINTS, Match

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_AT_ONCE = 50_000
"""Rows that are read in one go."""
_FIRST_ROOM = 1024


class Similar:
    """The fingerprints of a database as this process has read them. Safe for threads, of which one asks at a time.

    Rows are only ever added or removed. Before each question those are read that came since; rows that were removed are
    noticed when they would be an answer.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._kinds: dict[str, _Kept] = {}

    def near(self, database: Database, kind: str, value: bytes, distance: int, limit: int) -> list[Match]:
        """See `loom.verbs.Library.similar`."""
        # The transaction begins after the lock is had, so that it sees all that is in memory and was not removed.
        with self._lock, database.read() as connection:
            self._catch_up(connection)
            kept = self._kinds.get(kind)
            return [] if kept is None else _present(connection, kept, value, distance, limit)

    def _catch_up(self, connection: Connection) -> None:
        while rows := fetch(connection, compiled(connection, _newer), (self._last, _AT_ONCE)):
            by_kind: dict[str, list[tuple[int, bytes]]] = {}
            for number, kind, bits in rows:
                by_kind.setdefault(kind, []).append((number, bits))
            for kind, found in by_kind.items():
                known = FINGERPRINTS.get(kind)
                if known is not None:
                    fitting = [row for row in found if len(row[1]) == 8 * known.words]
                    self._kinds.setdefault(kind, _Kept(known.words)).add(fitting)
            self._last = rows[-1][0]
            if len(rows) < _AT_ONCE:
                return


def _present(connection: Connection, kept: _Kept, value: bytes, distance: int, limit: int) -> list[Match]:
    """Of the rows that are near enough those that are there still and whose asset lies somewhere; each asset once."""
    found: dict[bytes, Match] = {}
    gone: list[int] = []
    candidates = kept.near(value, distance)
    for piece in chunks(list(candidates)):
        rows = {row[0]: row[1:] for row in fetch(connection, compiled(connection, _rows, len(piece)), piece)}
        gone += [number for number in piece if number not in rows]
        for number in dict.fromkeys(piece):
            if number not in rows or not rows[number][2]:
                continue
            asset, since, _ = rows[number]
            found.setdefault(bytes(asset), Match(bytes(asset), candidates[number], since))
        if len(found) >= limit:
            break
    kept.drop(gone)
    return sorted(found.values(), key=lambda match: (match.distance, match.since, match.asset))[:limit]


class _Kept:
    """Fingerprints of one kind: their numbers, and `words` of 64 bits each."""

    def __init__(self, words: int) -> None:
        import numpy as np

        self._count = 0
        self._numbers: Array = np.zeros(_FIRST_ROOM, np.int64)
        self._bits: Array = np.zeros((_FIRST_ROOM, words), np.uint64)

    def add(self, rows: list[tuple[int, bytes]]) -> None:
        import numpy as np

        if not rows:
            return
        end = self._count + len(rows)
        if end > len(self._numbers):
            room = max(2 * len(self._numbers), end)
            self._numbers = np.resize(self._numbers, room)
            self._bits = np.resize(self._bits, (room, self._bits.shape[1]))
        self._numbers[self._count : end] = [number for number, _ in rows]
        bits = np.frombuffer(b"".join(bits for _, bits in rows), np.uint64)
        self._bits[self._count : end] = bits.reshape(len(rows), -1)
        self._count = end

    def near(self, value: bytes, distance: int) -> dict[int, int]:
        """The numbers of those that differ by at most `distance` of 64 bits, with by how many, the nearest first. A
        word of 0 is not compared."""
        import numpy as np

        asked = np.frombuffer(value, np.uint64)
        said = np.flatnonzero(asked)
        bits = self._bits[: self._count]
        if bits.shape[1] == 1:
            apart = np.bitwise_count(bits[:, 0] ^ asked[0])
            within = np.flatnonzero(apart <= distance)
            apart = apart[within]
        else:
            compared = bits[:, said] != 0
            differing = np.bitwise_count(bits[:, said] ^ asked[said]) * compared
            words = compared.sum(axis=1, dtype=np.uint16)
            total = differing.sum(axis=1, dtype=np.uint16)
            within = np.flatnonzero((total <= distance * words) & (words > 0))
            apart = -(-total[within].astype(np.int64) // words[within])
        order = np.argsort(apart, kind="stable")
        return dict(zip(self._numbers[within[order]].tolist(), apart[order].tolist(), strict=True))

    def drop(self, numbers: list[int]) -> None:
        """Forgets rows that are no more."""
        if not numbers:
            return
        import numpy as np

        gone = np.searchsorted(self._numbers[: self._count], sorted(set(numbers)))
        self._numbers = np.delete(self._numbers, gone)
        self._bits = np.delete(self._bits, gone, axis=0)
        self._count -= len(gone)


def _newer() -> TextClause:
    return text("SELECT id, kind, bits FROM fingerprints WHERE id > :last ORDER BY id LIMIT :most")


def _rows(count: int) -> Select[tuple[int, bytes, int, bool]]:
    at = locations.c
    lies = exists().where(at.asset == assets.c.id, at.state != constant(MISSING))
    return (
        select(fingerprints.c.id, assets.c.blake3, assets.c.first_seen, lies)
        .join(assets, assets.c.id == fingerprints.c.asset)
        .where(any_of(fingerprints.c.id, count))
    )
