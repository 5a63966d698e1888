"""Where the numbers of events come from, so that they never go back."""

from __future__ import annotations

import os
import struct
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from loom.store.database import Database

STORED_BLOCK = 1_000_000
"""Numbers that are written down at once as given out: the most that a crash of the machine leaves out."""

_FACT = "bus.seq"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MARK = struct.Struct("<16sQQ")


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
    """Kept in Loom's database, a million numbers at a time. `marks` is a file beside it that says how far this process
    has come with them: so a process that was killed leaves out few. When the machine went down with it nobody knows
    whether the file was the last word, and all that was reserved counts as given out."""

    def __init__(self, database: Database, marks: Path | None = None) -> None:
        self._database = database
        self._marks = marks
        self._upto = self._block = -1
        """Up to where numbers are given out, and up to where this process has them."""

    def load(self) -> int:
        from loom.store.facts import fact

        with self._database.read() as connection:
            stored = int(fact(connection, _FACT) or 0)
        upto = self._marked(stored)
        return stored if upto is None else self._set_back(stored, upto)

    def reserve(self, after: int, count: int) -> int:
        from loom.store.facts import held_fact, set_fact

        start = after
        if after != self._upto or after + count > self._block:
            with self._database.write() as connection:
                start = max(int(held_fact(connection, _FACT, "0")), after)
                self._block = start + max(count, STORED_BLOCK)
                set_fact(connection, _FACT, str(self._block))
        self._upto = start + count
        self._mark()
        return start

    def give_back(self, reserved: int, last: int) -> None:
        if reserved == self._upto:
            self._set_back(self._block, last)

    def _set_back(self, reserved: int, last: int) -> int:
        """If nobody else has reserved numbers meanwhile; the number below or at which all may have been given out."""
        from loom.store.facts import held_fact, set_fact

        with self._database.write() as connection:
            stored = int(held_fact(connection, _FACT, "0"))
            if stored != reserved:
                return stored
            set_fact(connection, _FACT, str(last))
        return last

    def _mark(self) -> None:
        """A mark that can no longer be kept true must not stay."""
        if self._marks is None or (boot := _boot()) is None:
            return
        try:
            fd = os.open(self._marks, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(fd, _MARK.pack(boot, self._block, self._upto), 0)
            finally:
                os.close(fd)
        except OSError:
            self._marks.unlink(missing_ok=True)

    def _marked(self, stored: int) -> int | None:
        """How far the last process had come, if it was that which has reserved these numbers since this machine was
        started."""
        try:
            boot, block, upto = _MARK.unpack(b"" if self._marks is None else self._marks.read_bytes())
        except (OSError, struct.error):
            return None
        return upto if (boot, block) == (_boot(), stored) and upto < stored else None


@cache
def _boot() -> bytes | None:
    """What tells the time since this machine was started from others, where the system says it."""
    try:
        return UUID(_BOOT_ID.read_text().strip()).bytes
    except (OSError, ValueError):
        return None
