"""Where the numbers of events come from, so that they never go back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from loom.store.database import Database

_FACT = "bus.seq"


class SequenceStore(Protocol):
    """Remembers one number beyond the end of the process."""

    def load(self) -> int:
        """The number below or at which all numbers may have been given out; 0 at first."""
        ...

    def reserve(self, after: int, count: int) -> int:
        """Reserves `count` numbers that nobody else has; returns the number that they follow, which is `after` or (if
        others have reserved meanwhile) a greater one. They stay reserved, whatever happens to this process."""
        ...

    def give_back(self, reserved: int, last: int) -> None:
        """Of a reservation up to `reserved` the numbers after `last` were not used. Others may have some after it: then
        it stays as it is."""
        ...


class MemorySequence:
    """For a bus that lives as long as its process, as in a dry run."""

    def __init__(self, value: int = 0) -> None:
        self._value = value

    def load(self) -> int:
        return self._value

    def reserve(self, after: int, count: int) -> int:
        start = max(self._value, after)
        self._value = start + count
        return start

    def give_back(self, reserved: int, last: int) -> None:
        if self._value == reserved:
            self._value = last


class StoredSequence:
    """Kept in Loom's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> int:
        from loom.store.facts import fact

        with self._database.read() as connection:
            return int(fact(connection, _FACT) or 0)

    def reserve(self, after: int, count: int) -> int:
        from loom.store.facts import held_fact, set_fact

        with self._database.write() as connection:
            start = max(int(held_fact(connection, _FACT, "0")), after)
            set_fact(connection, _FACT, str(start + count))
        return start

    def give_back(self, reserved: int, last: int) -> None:
        from loom.store.facts import held_fact, set_fact

        with self._database.write() as connection:
            if int(held_fact(connection, _FACT, "0")) == reserved:
                set_fact(connection, _FACT, str(last))
