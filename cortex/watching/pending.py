"""What has changed and was not handed on yet."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple

from cortex.sources.ignore import IGNORE_FILE
from cortex.sources.roots import is_address, is_at_or_below
from cortex.sources.watched import Changed
from cortex.watching.settling import Settling

GATHER_S = 0.3
"""How long changes are gathered, from the first that can be handed on."""

AGAIN_S = 5.0
"""A folder that came is walked once more so long after: what was put into it at first may not have been told."""

MANY = 2000
"""More changes than that below one root, told at once or gathered, and it is walked whole: more may have happened than
was told."""


class Work(NamedTuple):
    """What a round is about: roots, and what has changed below those of them that need not be walked whole."""

    roots: tuple[bytes, ...]
    changed: Mapping[bytes, Changed]


@dataclass
class _Below:
    """What can be handed on of one root, and since when there is something. `news` are paths that nobody has looked
    at."""

    news: set[bytes] = field(default_factory=set)
    folders: set[bytes] = field(default_factory=set)
    trees: set[bytes] = field(default_factory=set)
    whole: bool = False
    since: float | None = None

    @property
    def is_something(self) -> bool:
        return self.whole or bool(self.folders or self.trees)


class Pending:
    """Changes below roots, from when they are told until a round has taken them. Times are monotonic seconds.

    `changed` may be called from any thread, `is_ready` from that of a scan, the rest from the one that carries out the
    rounds.
    """

    def __init__(self, settling: Settling, leaves: Callable[[bytes, bytes], bool]) -> None:
        """`leaves` says of a root and a path below it whether a change there means nothing."""
        self._below: dict[bytes, _Below] = {}
        self._settling = settling
        self._leaves = leaves
        self._lock = threading.Lock()
        self._due: dict[bytes, tuple[float, bytes]] = {}
        self._again: dict[bytes, tuple[float, bytes]] = {}

    def add(self, root: bytes) -> None:
        with self._lock:
            self._below[root] = _Below()

    def remove(self, root: bytes) -> None:
        """With all that was gathered of it; what is still told of it is passed over."""
        with self._lock:
            del self._below[root]
        for waiting in (self._due, self._again):
            for path in [path for path, (_, of) in waiting.items() if of == root]:
                del waiting[path]

    def changed(self, root: bytes, paths: Iterable[bytes]) -> None:
        with self._lock:
            below = self._below.get(root)
            if below is not None and len(below.news) <= MANY:
                below.news.update(paths)

    def whole(self, root: bytes) -> None:
        """The root, and those that lie in it, are to be walked whole."""
        for other, below in self._below.items():
            if is_at_or_below(other, root):
                below.whole = True
                below.folders, below.trees = set(), set()

    def is_ready(self, path: bytes, status: os.stat_result, *, now: float, wall_ns: int) -> bool:
        """Whether a file that a scan has found is settled. One that is not is looked at again, in a store when that is
        gone through the next time."""
        wait = self._settling.wait(path, status.st_size, status.st_mtime_ns, now=now, wall_ns=wall_ns)
        root = self._root_of(path)
        if wait and root is not None and not is_address(root):
            self._due[path] = (now + wait, root)
        return not wait

    def look(self, *, now: float, wall_ns: int) -> None:
        """Looks at what was told, and again at what was not settled."""
        for root, below in self._below.items():
            with self._lock:
                news, below.news = below.news, set()
            if len(news) > MANY:
                self.whole(root)
                news = set()
            for path in news:
                if self._root_of(path) == root and not self._leaves(root, path):
                    self._look_at(root, path, now=now, wall_ns=wall_ns)
        for path in [path for path, (due, _) in self._due.items() if due <= now]:
            _, root = self._due.pop(path)
            self._look_at(root, path, now=now, wall_ns=wall_ns)
        for path in [path for path, (due, _) in self._again.items() if due <= now]:
            _, root = self._again.pop(path)
            self._below[root].trees.add(path)
        for root, below in self._below.items():
            if len(below.folders) + len(below.trees) > MANY:
                self.whole(root)
        for below in self._below.values():
            if below.since is None and below.is_something:
                below.since = now

    def _look_at(self, root: bytes, path: bytes, *, now: float, wall_ns: int) -> None:
        below = self._below[root]
        if path == root:
            below.whole = True
            return
        folder = os.path.dirname(path)
        if os.path.basename(path) == IGNORE_FILE:
            self._rules_changed(root, folder)
            return
        try:
            status = os.lstat(path)
        except OSError:
            self._settling.forget(path)
            self._due.pop(path, None)
            below.folders.add(folder)
            below.trees.add(path)
            return
        if S_ISDIR(status.st_mode):
            below.trees.add(path)
            self._again[path] = (now + AGAIN_S, root)
        elif not S_ISREG(status.st_mode) or self.is_ready(path, status, now=now, wall_ns=wall_ns):
            self._due.pop(path, None)
            below.folders.add(folder)

    def _rules_changed(self, root: bytes, folder: bytes) -> None:
        """An ignore file came, changed or went: it holds in all of the folder, and in the roots that lie in it."""
        self._below[root].trees.add(folder)
        for other, below in self._below.items():
            if other != root and is_at_or_below(other, folder):
                below.whole = True

    def _root_of(self, path: bytes) -> bytes | None:
        """The innermost root that the path is at or below."""
        around = [root for root in self._below if is_at_or_below(path, root)]
        return max(around, key=len, default=None)

    def due(self, roots: Iterable[bytes]) -> float | None:
        """When a round about these roots may begin, as what is due in them was gathered for long enough; None while
        there is nothing."""
        since = min((since for root in roots if (since := self._below[root].since) is not None), default=None)
        return None if since is None else since + GATHER_S

    def take(self, roots: Collection[bytes]) -> Work:
        """What a round about these roots is about."""
        taken = {root: below for root, below in self._below.items() if root in roots and below.is_something}
        changed: dict[bytes, Changed] = {}
        for root, below in taken.items():
            if not below.whole and root not in below.trees:
                changed[root] = Changed(folders=frozenset(below.folders), trees=frozenset(below.trees))
            below.folders, below.trees, below.whole, below.since = set(), set(), False, None
        return Work(tuple(taken), changed)

    def give_back(self, work: Work) -> None:
        """The round could not be done."""
        for root in work.roots:
            below = self._below[root]
            if (changed := work.changed.get(root)) is None:
                below.whole = True
            else:
                below.folders |= changed.folders
                below.trees |= changed.trees

    def next_look(self) -> float | None:
        """When there is something to look at again."""
        return min((due for due, _ in (*self._due.values(), *self._again.values())), default=None)
