"""A Loom over SQLite with a million fingerprints of pictures and of films, and an index in SQL to compare with."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from measure import fresh

from loom.bus.hub import Hub
from loom.graph.specs import Catalogue
from loom.service import LocalLoom
from loom.store.database import Database

COUNT = 1_000_000
_FAMILY = 4
"""So many are made of one another, by up to `_TURNED` bits, as near duplicates are."""
_TURNED = 10
_KINDS = (("image.phash", 1), ("video.fingerprint", 4))


@dataclass
class Store:
    """`hashes` and `films` are some of the values that are in it."""

    loom: LocalLoom
    path: Path
    hashes: list[bytes]
    films: list[bytes]
    count: int = COUNT

    def add(self, number: int) -> None:
        """So many new pictures."""
        with closing(sqlite3.connect(self.path)) as database:
            _insert(database, self.count, number, (_KINDS[0],))
        self.count += number


@contextmanager
def filled() -> Iterator[Store]:
    """What is made is thrown away in the end; it takes a minute."""
    path = fresh("similar") / "loom.db"
    Database.open(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA synchronous = OFF")
        _insert_heads(database)
        values = _insert(database, 0, COUNT, _KINDS)
    loom = LocalLoom(Database.open(f"sqlite:///{path}"), path.parent / "blobs", Hub(), Catalogue())
    try:
        yield Store(loom, path, *values)
    finally:
        loom.close()
        shutil.rmtree(path.parent)


def near_one_of(values: Sequence[bytes], number: int) -> bytes:
    """One of the values, three bits of each 64 turned."""
    value = bytearray(values[number % len(values)])
    for word in range(0, len(value), 8):
        for bit in random.Random(number).sample(range(64), 3):
            value[word + bit // 8] ^= 1 << bit % 8
    return bytes(value)


def _insert_heads(database: sqlite3.Connection) -> None:
    """What results belong to; keys of other tables are not looked at here."""
    for number, (kind, _) in enumerate(_KINDS, start=1):
        database.execute("INSERT INTO signatures VALUES (?, ?, ?, '1')", (number, bytes([number]) * 32, kind))
    database.execute("INSERT INTO directories VALUES (1, x'01', 'here', x'2f')")
    database.commit()


def _insert(
    database: sqlite3.Connection, start: int, count: int, kinds: Sequence[tuple[str, int]]
) -> tuple[list[bytes], list[bytes]]:
    """Assets with a location, a result and a fingerprint of each kind; returns a thousand values of either kind."""
    numbers = range(start + 1, start + count + 1)
    assets = ((n, n.to_bytes(32, "little"), 1000, "image/jpeg", "image", n) for n in numbers)
    database.executemany("INSERT INTO assets VALUES (?, ?, ?, ?, ?, ?)", assets)
    places = ((1, b"%d" % n, n, 1000, 1, 1, 1, 0, 1, 1, 1, str(n)) for n in numbers)
    database.executemany(f"INSERT INTO locations VALUES ({', '.join('?' * 12)})", places)
    samples: list[list[bytes]] = []
    for signature, (kind, words) in enumerate(kinds, start=1):
        values = _values(start, count, words)
        outputs = ((n, signature, 1, 1, 1, 0, "{}", 1000, n) for n in numbers)
        columns = "asset, signature, run, node, state, verdict, outputs, duration_us, finished"
        database.executemany(f"INSERT INTO results ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", outputs)
        rows = zip(numbers, (signature for _ in numbers), (kind for _ in numbers), values, strict=True)
        database.executemany("INSERT INTO fingerprints (asset, signature, kind, bits) VALUES (?, ?, ?, ?)", rows)
        samples.append(values[:: max(count // 1000, 1)])
    database.commit()
    return samples[0], samples[-1]


def _values(seed: int, count: int, words: int) -> list[bytes]:
    """Families of values that differ from their first by some bits."""
    chance = np.random.default_rng(seed + words)
    heads = chance.integers(1, 2**64, size=(-(-count // _FAMILY), words), dtype=np.uint64)
    values = np.repeat(heads, _FAMILY, axis=0)[:count]
    for _ in range(_TURNED):
        turned = chance.integers(0, 2 * 64, size=values.shape, dtype=np.uint64)  # half of them past the end
        values ^= np.where(turned < 64, np.uint64(1) << (turned % np.uint64(64)), np.uint64(0))
    data = values.tobytes()
    return [data[at : at + 8 * words] for at in range(0, len(data), 8 * words)]


class Bands:
    """Four numbers of 16 bits of each hash, in an indexed table."""

    def __init__(self, store: Store) -> None:
        self._database = sqlite3.connect(store.path)
        before = store.path.stat().st_size
        self._database.execute("CREATE TABLE bands (band INTEGER, value INTEGER, id INTEGER) STRICT")
        rows = self._database.execute("SELECT id, bits FROM fingerprints WHERE kind = 'image.phash'").fetchall()
        for band in range(4):
            parts = ((band, int.from_bytes(bits[2 * band : 2 * band + 2], "big"), number) for number, bits in rows)
            self._database.executemany("INSERT INTO bands VALUES (?, ?, ?)", parts)
        self._database.execute("CREATE INDEX bands_value ON bands (band, value, id)")
        self._database.commit()
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.size_mb = (store.path.stat().st_size - before) / 1e6
        turned = (bits for count in range(3) for bits in combinations(range(16), count))
        self._flips = [sum(1 << bit for bit in bits) for bits in turned]

    def near(self, value: bytes, distance: int) -> list[int]:
        """Of up to 8 bits that differ, at most two are in one of the four numbers."""
        asked = int.from_bytes(value, "big")
        found: set[int] = set()
        for band in range(4):
            part = int.from_bytes(value[2 * band : 2 * band + 2], "big")
            probes = [part ^ flip for flip in self._flips]
            in_band = f"SELECT id FROM bands WHERE band = ? AND value IN ({', '.join('?' * len(probes))})"
            sql = f"SELECT id, bits FROM fingerprints WHERE id IN ({in_band})"
            for number, bits in self._database.execute(sql, (band, *probes)):
                if (int.from_bytes(bits, "big") ^ asked).bit_count() <= distance:
                    found.add(number)
        return sorted(found)
