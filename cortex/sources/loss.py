"""Files that are gone, before they count as deleted: how many they are, apart from those that were only moved."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

from cortex.sources.counts import looks_same
from cortex.sources.found import Part
from cortex.sources.reconcile import Gone, Remembered
from cortex.sources.roots import join
from loom.model import KnownFile

SOME = 20
"""So many of the files are named, and not all of them of one folder where there are more."""

_OF_A_FOLDER = 3


class Loss(NamedTuple):
    """What a walk of `root`, or of a part of it, did not see any more: `number` files, `some` of them by their paths.
    `is_whole`: all of the root was walked. `remembered` says how many files of the root Loom remembers to be present,
    not counted beyond a number; `still_gone`: whether any of these paths is remembered so and is not there."""

    root: bytes
    number: int
    some: tuple[bytes, ...]
    is_whole: bool
    remembered: Callable[[int | None], int]
    still_gone: Callable[[Sequence[bytes]], bool]


class Guard(Protocol):
    """Who is asked before files count as deleted, and told when they do."""

    def may_go(self, loss: Loss) -> bool: ...

    def counted(self, root: bytes, number: int) -> None: ...


class Newcomers:
    """Files at paths where they were not before, to know again what was only moved: a file of the same size and time of
    last change is what is gone when it has the same inode, or the same name (on another disk). All are noted before the
    first is asked for."""

    def __init__(self) -> None:
        self._marks = array("q")

    def note(self, work: Iterable[tuple[bytes, os.stat_result, KnownFile | None, Part]]) -> None:
        for name, status, known, _ in work:
            if known is None or not known.present or not looks_same(known, status):
                self._marks.extend(_marks(name, status.st_size, status.st_mtime_ns, status.st_ino))

    def has(self, gone: KnownFile) -> bool:
        return not self._all.isdisjoint(_marks(gone.name, gone.size, gone.mtime_ns, gone.inode))

    @cached_property
    def _all(self) -> frozenset[int]:
        return frozenset(self._marks)


def _marks(name: bytes, size: int, mtime_ns: int, inode: int) -> tuple[int, int]:
    return hash((size, mtime_ns, inode)), hash((size, mtime_ns, name))


class Asked:
    """Asks a guard about what is gone from one root, leaving out what was moved."""

    def __init__(self, guard: Guard, remembered: Remembered, newcomers: Newcomers, *, is_whole: bool) -> None:
        self._guard = guard
        self._remembered = remembered
        self._newcomers = newcomers
        self._is_whole = is_whole
        self._number = 0

    def may_go(self, gone: Iterator[Gone], roots: Container[bytes]) -> bool:
        number, some = 0, _Some()
        for directory, file in gone:
            if not self._newcomers.has(file):
                number += 1
                some.note(directory, file.name)
        remembered = self._remembered
        may_go = self._guard.may_go(
            Loss(
                remembered.root,
                number,
                tuple(some.paths),
                self._is_whole,
                lambda at_most: remembered.present(roots, at_most),
                remembered.still_gone,
            )
        )
        self._number = number if may_go else 0
        return may_go

    def counted(self) -> None:
        """What might go has been told to Loom."""
        if self._number:
            self._guard.counted(self._remembered.root, self._number)


class _Some:
    """A few of many paths, of several folders if they can be had."""

    def __init__(self) -> None:
        self.paths: list[bytes] = []
        self._of_folder = (b"", 0)

    def note(self, directory: bytes, name: bytes) -> None:
        former, number = self._of_folder
        number = number + 1 if directory == former else 1
        self._of_folder = directory, number
        if number <= _OF_A_FOLDER and len(self.paths) < SOME:
            self.paths.append(join(directory, name))
