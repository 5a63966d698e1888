"""What Loom remembers and a walk did not see: gone, or out of reach."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Container, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from cortex.sources.ground import Ground, folders_in, ground_of
from cortex.sources.roots import join
from cortex.sources.walk import Listing
from loom.model import KnownFile
from loom.verbs import Ledger

_FOLDERS = 100
"""Of how many folders Loom is asked at a time."""

Gone = tuple[bytes, KnownFile]
"""A file that is gone, and the directory that it lay in."""


class Away(NamedTuple):
    """Files in or below a folder that lay on a device which is not there now."""

    folder: bytes
    device: int


class _Lost(NamedTuple):
    """Files of a directory that are not there. `judge` is the nearest folder that is, `ground` what it lies on, and
    `folder` is what is named when they are out of reach."""

    directory: bytes
    files: list[KnownFile]
    judge: bytes
    ground: Ground
    folder: bytes


class Remembered:
    """Loom's memory of the files below one root, set against what a walk of it shows.

    A file that is gone was deleted only if what lies there now is what it lay on. That is so when the folder has the
    device of the file, or when other files that were on the device of the file were seen again on that of the folder:
    devices have other numbers once they were away. What lay elsewhere is out of reach and known by `away`. A root that
    shows anything counts as what it was.
    """

    def __init__(self, ledger: Ledger, host: str, plan: bytes, root: bytes) -> None:
        self.root = root
        self.tops: Collection[bytes] = (root,)
        """At or below these folders lies what Loom is asked for when something may be gone."""
        self.shows_something = False
        self.may_go: Callable[[Iterator[Gone], Container[bytes]], bool] | None = None
        """Asked, with all files that are gone and the roots that answer for themselves, whether they may count as gone;
        None: they may."""
        self.away: dict[Away, None] = {}
        self._ledger = ledger
        self._host = host
        self._plan = plan
        self._device: int | None = None
        self._lost: list[_Lost] = []
        self._seen_on: set[tuple[int, int]] = set()
        self._again: set[tuple[int, int]] = set()
        self._parents: dict[bytes, tuple[Ground | None, frozenset[bytes]]] = {}

    def note(self, directory: bytes, listing: Listing, others: dict[bytes, KnownFile]) -> None:
        """A directory was read; `others` are the files remembered in it that are not among those to be looked at."""
        self.shows_something = self.shows_something or listing.shows_something
        if directory == self.root:
            self._device = _device_of(directory)  # not before it is read: that may be what mounts it
        if not others:
            return
        there = {*listing.left, *listing.links, *(name for name, _ in listing.broken)}
        gone = [file for name, file in others.items() if file.present and name not in there]
        if not gone:
            return
        ground = ground_of(directory, is_bare=not (listing.shows_something or listing.directories))
        if ground is not None:
            self._lost.append(_Lost(directory, gone, directory, ground, directory))

    def note_again(self, directory: bytes, device: int, now: int) -> None:
        """A file that is remembered to lie on `device` was seen again on the device `now`."""
        if (device, now) in self._seen_on:
            return
        self._seen_on.add((device, now))
        self._again.add((device, now))
        self._again.add((device, _device_of(directory) or now))  # overlays give files other devices than folders

    def why_unreachable(self) -> str | None:
        """Why the root cannot be reached, though it could be read: it shows nothing at all where Loom remembers files,
        as an unmounted disk does, or it is no longer what it was when the walk began."""
        if not self.shows_something and self._ledger.known_directories(self._host, self.root):
            return "it shows nothing, where there were files before"
        if self._device is not None and self._device != _device_of(self.root):
            return "it went away while it was read"
        return None

    def gone(self, visited: Container[bytes], roots: Container[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Every file (directory, name) that is gone, once the walk has ended in order. `visited` are the directories
        that were read, `roots` those that answer for what lies below them. A directory that is there but was not read
        (left alone, unreadable) keeps its files. What is out of reach is in `away` when this has ended."""
        if self.may_go is None or self.may_go(self._gone(visited, roots), roots):
            for directory, file in self._gone(visited, roots):
                yield directory, file.name

    def present(self, roots: Container[bytes], at_most: int | None = None) -> int:
        """How many files are remembered to be present, without those that another root answers for. It may not be
        counted further than `at_most`."""
        mine = (
            directory
            for directory in self._ledger.known_directories(self._host, self.root)
            if not self._is_elsewhere(directory, roots)
        )
        number = 0
        while (at_most is None or number < at_most) and (directories := list(islice(mine, _FOLDERS))):
            for files in self._ledger.known_files(self._host, directories, self._plan):
                number += sum(file.present for file in files)
        return number

    def still_gone(self, paths: Sequence[bytes]) -> bool:
        """Whether any of these files is remembered to be present and is not there."""
        for path in paths:
            directory, name = os.path.split(path)
            (files,) = self._ledger.known_files(self._host, [directory], self._plan)
            if any(file.name == name and file.present for file in files) and not os.path.lexists(path):
                return True
        return False

    def _gone(self, visited: Container[bytes], roots: Container[bytes]) -> Iterator[Gone]:
        for lost in self._lost:
            if not self._is_elsewhere(lost.directory, roots):
                yield from self._deleted(lost)
        for directory in (one for top in self.tops for one in self._ledger.known_directories(self._host, top)):
            if directory not in visited and not self._is_elsewhere(directory, roots):
                vanished = self._vanished(directory, visited)
                if vanished is not None:
                    yield from self._deleted(vanished)

    def _deleted(self, lost: _Lost) -> Iterator[Gone]:
        for file in lost.files:
            if self._is_away(file.device, lost):
                self.away[Away(lost.folder, file.device)] = None
            else:
                yield lost.directory, file

    def _is_away(self, device: int, lost: _Lost) -> bool:
        ground = lost.ground
        if lost.judge != self.root:
            return ground.is_bare_disk or not self._is_on(device, ground)
        return lost.folder != self.root and bool(self._again) and not self._is_on(device, ground)

    def _is_on(self, device: int, ground: Ground) -> bool:
        return device == ground.device or (device, ground.device) in self._again

    def _is_elsewhere(self, directory: bytes, roots: Container[bytes]) -> bool:
        """Whether another root, below this one, answers for the directory."""
        while len(directory) > len(self.root):
            if directory in roots:
                return True
            directory = os.path.dirname(directory)
        return False

    def _vanished(self, directory: bytes, visited: Container[bytes]) -> _Lost | None:
        """The files of a directory that was not read because it, or one above it, is no longer there."""
        parent, name = os.path.split(directory)
        while parent not in visited:
            if len(parent) <= len(self.root):
                return None
            parent, name = os.path.split(parent)
        if parent not in self._parents:
            self._parents[parent] = folders_in(parent)
        ground, folders = self._parents[parent]
        if ground is None or name in folders:
            return None
        (files,) = self._ledger.known_files(self._host, [directory], self._plan)
        folder = join(parent, name) if parent == self.root else parent
        return _Lost(directory, [file for file in files if file.present], parent, ground, folder)


class Tree(NamedTuple):
    """A folder that is scanned, and what Loom remembers of it."""

    root: bytes
    remembered: Remembered | None

    def shows_something(self) -> None:
        if self.remembered is not None:
            self.remembered.shows_something = True


def _device_of(path: bytes) -> int | None:
    try:
        return os.stat(path).st_dev
    except OSError:
        return None
