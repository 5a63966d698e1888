"""What Loom remembers and a walk did not see: gone, or out of reach."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator
from itertools import islice

from cortex.sources.walk import Listing
from loom.model import KnownFile
from loom.verbs import Ledger

BATCH = 1000
"""How many files are marked missing at a time."""


class Remembered:
    """Loom's memory of the files below one root, set against what a walk of it shows."""

    def __init__(self, ledger: Ledger, host: str, plan: bytes, root: bytes) -> None:
        self.root = root
        self.shows_something = False
        self._ledger = ledger
        self._host = host
        self._plan = plan
        self._gone: list[tuple[bytes, bytes]] = []
        self._children: dict[bytes, frozenset[bytes]] = {}

    def note(self, directory: bytes, listing: Listing, others: dict[bytes, KnownFile]) -> None:
        """A directory was read; `others` are the files remembered in it that are not among those to be looked at."""
        self.shows_something = self.shows_something or listing.shows_something
        if not others:
            return
        there = {*listing.left, *listing.links, *(name for name, _ in listing.broken)}
        self._gone.extend((directory, name) for name, file in others.items() if file.present and name not in there)

    def looks_unreachable(self) -> bool:
        """Whether the walk showed nothing at all where Loom remembers files: an unmounted disk, not a deletion."""
        return not self.shows_something and bool(self._ledger.known_directories(self._host, self.root))

    def gone(self, visited: Container[bytes], roots: Container[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Every file (directory, name) that is gone, once the walk has ended in order. `visited` are the directories
        that were read, `roots` those that answer for what lies below them. A directory that is there but was not read
        (left alone, unreadable) keeps its files."""
        yield from self._gone
        for directory in self._ledger.known_directories(self._host, self.root):
            if directory in visited or self._is_elsewhere(directory, roots):
                continue
            if self._has_vanished(directory, visited):
                (files,) = self._ledger.known_files(self._host, [directory], self._plan)
                yield from ((directory, file.name) for file in files if file.present)

    def _is_elsewhere(self, directory: bytes, roots: Container[bytes]) -> bool:
        """Whether another root, below this one, answers for the directory."""
        while len(directory) > len(self.root):
            if directory in roots:
                return True
            directory = os.path.dirname(directory)
        return False

    def _has_vanished(self, directory: bytes, visited: Container[bytes]) -> bool:
        parent, name = os.path.split(directory)
        while parent not in visited:
            if len(parent) <= len(self.root):
                return False
            parent, name = os.path.split(parent)
        if parent not in self._children:
            self._children[parent] = _folders_in(parent)
        return name not in self._children[parent]

    def mark_missing(self, files: Iterable[tuple[bytes, bytes]]) -> int:
        """Tells Loom; returns how many were present until now."""
        remaining = iter(files)
        missing = 0
        while batch := list(islice(remaining, BATCH)):
            missing += self._ledger.mark_missing(self._host, batch)
        return missing


def _folders_in(directory: bytes) -> frozenset[bytes]:
    """The names of folders and links in a directory, as they are written there: a file system that ignores case would
    say that the old spelling of a renamed folder is still there."""
    try:
        with os.scandir(directory) as scan:
            return frozenset(entry.name for entry in scan if entry.is_symlink() or entry.is_dir(follow_symlinks=False))
    except OSError:
        return frozenset()
