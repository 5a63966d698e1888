"""What a watch remembers of files itself: in a dry run, and without Loom, nobody else does."""

from __future__ import annotations

import os
from collections.abc import Container

from cortex.engine.telling import shown


class Memory:
    """Files that were handed on, as they were then, under one digest of the pipelines. It is there as long as the watch
    is."""

    def __init__(self) -> None:
        self._settles = b""
        self._kept: set[int] = set()
        self._handed_on: dict[bytes, int] = {}

    def begin(self) -> None:
        """A round begins."""
        self._handed_on = {}

    def has(self, settles: bytes, path: bytes, status: os.stat_result) -> bool:
        """Whether the file went through these pipelines in a former round and was not changed since."""
        if settles != self._settles:
            self._settles, self._kept = settles, set()
        return _mark(path, status) in self._kept

    def hand_on(self, path: bytes, status: os.stat_result) -> None:
        self._handed_on[path] = _mark(path, status)

    def keep(self, again: Container[str]) -> None:
        """The round was carried out. Files of which something is to be tried `again`, by their paths as they are shown,
        are not remembered."""
        self._kept.update(mark for path, mark in self._handed_on.items() if shown(path) not in again)
        self._handed_on = {}


def _mark(path: bytes, status: os.stat_result) -> int:
    return hash((path, status.st_size, status.st_mtime_ns, status.st_ino))
