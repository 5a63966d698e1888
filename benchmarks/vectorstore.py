"""A database with vectors of faces, in directions by chance."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from measure import fresh

from loom.store.database import Database
from loom.store.vectorindex import Near, VectorIndex
from loom.store.vectors import directions
from loom.verbs.people import FACES

NUMBERS = 128
_MODEL = "chance"
_AT_ONCE = 20_000
_KEEP = "INSERT INTO vectors (asset, signature, position, kind, model, bits) VALUES (?, 1, 0, ?, ?, ?)"


@dataclass
class Faces:
    """As a process has them that was just begun."""

    database: Database
    chance: np.random.Generator
    index: VectorIndex = field(default_factory=VectorIndex)

    def near(self, most: int, distance: float) -> list[Near]:
        """Of a direction by chance."""
        asked = directions([_some(self.chance, 1)[0].tobytes()])[0]
        with self.index.alone(), self.database.read() as connection:
            return self.index.caught_up(connection, FACES, _MODEL).near(asked, most, distance)


@contextmanager
def filled(count: int) -> Iterator[Faces]:
    """What is made is thrown away in the end."""
    path = fresh("vectors") / "loom.db"
    chance = np.random.default_rng(1)
    database = Database.open(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as writer, writer:
        writer.execute("PRAGMA synchronous = OFF")
        for first in range(0, count, _AT_ONCE):
            rows = enumerate(_some(chance, min(_AT_ONCE, count - first)), first)
            writer.executemany(_KEEP, ((asset, FACES, _MODEL, row.tobytes()) for asset, row in rows))
    try:
        yield Faces(database, chance)
    finally:
        database.close()
        shutil.rmtree(path.parent)


def _some(chance: np.random.Generator, count: int) -> np.ndarray[Any, np.dtype[np.float16]]:
    made = chance.normal(size=(count, NUMBERS))
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True)).astype("<f2")
