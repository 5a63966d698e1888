"""What people decided of pairs of similar assets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, select

from loom.store.statements import chunks
from loom.store.tables import duplicate_members, duplicates
from loom.store.values import CONFIRMED, LEFT, PENDING, REJECTED, SIMILAR


class Decisions:
    """Of all pairs among these assets, as they stand in the database now."""

    def __init__(self, connection: Connection, numbers: Iterable[int]) -> None:
        self._of: dict[int, dict[int, tuple[int, int]]] = defaultdict(dict)
        """By asset and group: the group's state and the asset's part."""
        for piece in chunks(sorted(numbers)):
            statement = (
                select(duplicate_members.c.asset, duplicate_members.c.part, duplicates.c.id, duplicates.c.state)
                .join(duplicates, duplicates.c.id == duplicate_members.c.duplicate)
                .where(
                    duplicate_members.c.asset.in_(set(piece)),
                    duplicates.c.kind == SIMILAR,
                    duplicates.c.state != PENDING,
                )
            )
            for asset, part, group, state in connection.execute(statement):
                self._of[asset][group] = (state, part)

    def part(self, one: int, other: int) -> bool:
        """Whether they are no duplicates: they stand in a rejected group, or of one that was confirmed either was left
        out."""
        return any(
            state == REJECTED or (part == LEFT) is not (others == LEFT)
            for state, part, others in self._both(one, other)
        )

    def join(self, one: int, other: int) -> bool:
        """Whether they are duplicates: they stand in a confirmed group."""
        return any(state == CONFIRMED and LEFT not in parts for state, *parts in self._both(one, other))

    def fit(self, some: Iterable[int], others: Iterable[int]) -> bool:
        """Whether none of the ones is parted from any of the others."""
        there = [asset for asset in others if asset in self._of]
        return not any(self.part(one, other) for one in some if one in self._of for other in there if one != other)

    def _both(self, one: int, other: int) -> list[tuple[int, int, int]]:
        """The groups that hold both: state, and the part of each."""
        mine, theirs = self._of.get(one, {}), self._of.get(other, {})
        return [(*mine[group], theirs[group][1]) for group in mine.keys() & theirs.keys()]
