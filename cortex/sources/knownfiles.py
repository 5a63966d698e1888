"""What a scan asks Loom of the files it remembers, and what it tells it of those that are not there."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from cortex.sources.found import NEVER_SETTLED, Part, ScanOptions
from loom.model import KnownFile
from loom.verbs import Ledger

BATCH = 1000
"""Of how many files Loom is told at a time."""


class KnownFiles:
    """The files of a host that Loom remembers; none without a `ledger`. `plan` is the digest under which they count as
    settled. Loom is told nothing unless the scan is to reconcile."""

    def __init__(self, ledger: Ledger | None, host: str, plan: bytes, options: ScanOptions) -> None:
        self._asked = ledger
        self._told = ledger if options.reconcile else None
        self._host = host
        self._plan = plan
        self._visits_all = options.visit_all

    def within(self, directory: bytes, part: Part) -> dict[bytes, KnownFile]:
        """Those in a directory, by name, settled as it is for the part."""
        if self._asked is None:
            return {}
        plan = NEVER_SETTLED if self._visits_all else part.settles or self._plan
        (files,) = self._asked.known_files(self._host, [directory], plan)
        return {file.name: file for file in files}

    def mark_missing(self, files: Iterable[tuple[bytes, bytes]]) -> int:
        """Returns how many were present until now."""
        return sum(1 for _ in files) if self._told is None else mark_missing(self._told, self._host, files)

    def mark_unreachable(self, path: bytes, device: int | None = None) -> None:
        """As `Ledger.mark_unreachable`."""
        if self._told is not None:
            self._told.mark_unreachable(self._host, path, device)


def mark_missing(ledger: Ledger, host: str, files: Iterable[tuple[bytes, bytes]]) -> int:
    """Tells Loom of files (directory, name) that are gone; returns how many were present until now."""
    remaining = iter(files)
    missing = 0
    while batch := list(islice(remaining, BATCH)):
        missing += ledger.mark_missing(host, batch)
    return missing
