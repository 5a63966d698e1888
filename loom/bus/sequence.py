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

    def reserve(self, upto: int) -> None:
        """From now on `load` gives `upto`, whatever happens to this process."""
        ...


class MemorySequence:
    """For a bus that lives as long as its process, as in a dry run."""

    def __init__(self, value: int = 0) -> None:
        self._value = value

    def load(self) -> int:
        return self._value

    def reserve(self, upto: int) -> None:
        self._value = upto


class StoredSequence:
    """Kept in Loom's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> int:
        from loom.store.facts import fact

        with self._database.read() as connection:
            return int(fact(connection, _FACT) or 0)

    def reserve(self, upto: int) -> None:
        from loom.store.facts import set_fact

        with self._database.write() as connection:
            set_fact(connection, _FACT, str(upto))
