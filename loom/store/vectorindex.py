"""Which vectors are near a given one: those of a model are in memory, and each question looks at each, so that answers
are exact. `benchmarks/similar.py` says how long that takes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, TextClause, text

from loom.store.statements import compiled, fetch
from loom.store.vectors import directions

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_AT_ONCE = 20_000
"""Rows that are read in one go."""
_BLOCK_BYTES = 1 << 27
_DIGITS = 6
"""Of a distance; the rest is rounding."""
_ROUNDING = 10.0**-_DIGITS / 2


class Near(NamedTuple):
    """A vector by its number, and how far it is: 1 less the cosine of the angle between them."""

    number: int
    distance: float


class VectorIndex:
    """The vectors of a database as this process has read them, 4 bytes a number, each model's from the first question
    for it on. Safe for threads, of which one asks at a time.

    Of a row only the person changes, which is not kept here. Before each question those rows are read that came since;
    rows that were removed are to be dropped by who notices that they are gone.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._models: dict[tuple[str, str], Vectors] = {}

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else asks. The transaction is to begin inside, so that it sees all that is in memory and was not
        removed."""
        with self._lock:
            yield

    def caught_up(self, connection: Connection, kind: str, model: str) -> Vectors:
        """Of an operator and model, with all that this transaction sees; inside `alone`."""
        known = self._models.setdefault((kind, model), Vectors())
        while rows := fetch(connection, compiled(connection, _newer), (kind, model, known.last, _AT_ONCE)):
            known.add([(number, bytes(bits)) for number, bits in rows])
            if len(rows) < _AT_ONCE:
                break
        return known


class Vectors:
    """Vectors of one model by their numbers, in blocks. Those of another length than the first are passed over."""

    def __init__(self) -> None:
        self.last = 0
        self._width = 0
        self._blocks: list[_Block] = []

    def add(self, rows: Sequence[tuple[int, bytes]]) -> None:
        """Numbers must be higher than those before, and ascend."""
        self.last = rows[-1][0]
        self._width = self._width or len(rows[0][1])
        fitting = [row for row in rows if len(row[1]) == self._width]
        while fitting:
            if not self._blocks or self._blocks[-1].room == 0:
                self._blocks.append(_Block(self._width // 2))
            taken = fitting[: self._blocks[-1].room]
            self._blocks[-1].add([number for number, _ in taken], directions([bits for _, bits in taken]))
            fitting = fitting[len(taken) :]

    def fits(self, vector: Array) -> bool:
        """Whether there is anything to compare it with."""
        return len(vector) == self._width // 2 and bool(self._blocks)

    def near(self, vector: Array, most: int, distance: float) -> list[Near]:
        """At most so many within a distance, the nearest first and then in the order of their numbers."""
        import numpy as np

        if not self.fits(vector):
            return []
        found = [block.near(vector, most, distance) for block in self._blocks]
        numbers = np.concatenate([numbers for numbers, _ in found])
        apart = np.round(np.maximum(np.concatenate([apart for _, apart in found]), 0), _DIGITS)
        order = np.lexsort((numbers, apart))[:most]
        return [Near(*pair) for pair in zip(numbers[order].tolist(), apart[order].tolist(), strict=True)]

    def rows(self, numbers: Sequence[int]) -> dict[int, Array]:
        """The vectors of these numbers, as far as they are here."""
        found: dict[int, Array] = {}
        for block in self._blocks:
            found.update(block.rows(numbers))
        return found

    def drop(self, numbers: Sequence[int]) -> None:
        """Forgets rows that are no more."""
        for block in self._blocks if numbers else ():
            block.drop(numbers)


class _Block:
    """So many vectors as are moved when one of them goes."""

    def __init__(self, width: int) -> None:
        import numpy as np

        self._most = max(_BLOCK_BYTES // (4 * width), 1)
        self._count = 0
        self._numbers: Array = np.empty(self._most, np.int64)
        self._rows: Array = np.empty((self._most, width), np.float32)

    @property
    def room(self) -> int:
        return self._most - self._count

    def add(self, numbers: Sequence[int], rows: Array) -> None:
        end = self._count + len(numbers)
        self._numbers[self._count : end] = numbers
        self._rows[self._count : end] = rows
        self._count = end

    def near(self, vector: Array, most: int, distance: float) -> tuple[Array, Array]:
        """Numbers and distances of at most so many within a distance, in no order."""
        import numpy as np

        cosines = self._rows[: self._count] @ vector
        within = np.flatnonzero(cosines >= 1 - distance - _ROUNDING)
        if len(within) > most:
            within = within[np.argpartition(-cosines[within], most)[:most]]
        return self._numbers[within], 1 - cosines[within]

    def rows(self, numbers: Sequence[int]) -> dict[int, Array]:
        return {int(self._numbers[at]): self._rows[at].copy() for at in self._places(numbers)}

    def drop(self, numbers: Sequence[int]) -> None:
        import numpy as np

        gone = self._places(numbers)
        if len(gone):
            left = np.delete(np.arange(self._count), gone)
            self._numbers[: len(left)], self._rows[: len(left)] = self._numbers[left], self._rows[left]
            self._count = len(left)

    def _places(self, numbers: Sequence[int]) -> Array:
        import numpy as np

        wanted = np.unique(np.asarray(numbers, np.int64))
        places = np.searchsorted(self._numbers[: self._count], wanted)
        there = places < self._count
        places, wanted = places[there], wanted[there]
        return np.asarray(places[self._numbers[places] == wanted])


def _newer() -> TextClause:
    return text(
        "SELECT id, bits FROM vectors WHERE kind = :kind AND model = :model AND id > :last ORDER BY id LIMIT :most"
    )
