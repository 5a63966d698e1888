"""A scan for a watch: of what has changed below a folder, and only of files that nobody writes to any more."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from cortex.sources.found import Found, Part, ScanOptions
from cortex.sources.ignore import Files
from cortex.sources.lanes import LaneOptions
from cortex.sources.loss import Asked, Guard, Newcomers
from cortex.sources.reconcile import Tree
from cortex.sources.scan import Scan, _Work
from cortex.sources.walk import AnyRules, Directory, Listing
from loom.model import KnownFile
from loom.verbs import Ledger, Steering

Ready: TypeAlias = Callable[[bytes, os.stat_result], bool]
"""Whether a file of this path and stat may be handed on."""

Steer: TypeAlias = Callable[[Steering, Sequence[UUID]], None]
"""Called with the runs that are at work."""

MANY_GONE = 8
"""So many names that are gone from one folder, and Loom is asked once for all of the folder."""


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What has changed below a root: `folders` in which something did, each by itself, and `trees`, folders that came
    or went with all that is in them. A name that is gone is one of the `trees`, for it may have been a folder; the
    folder that it was in is one of the `folders`."""

    folders: frozenset[bytes] = frozenset()
    trees: frozenset[bytes] = frozenset()

    @property
    def tops(self) -> set[bytes]:
        """The folders at or below which Loom may remember what is gone."""
        parents = Counter(map(os.path.dirname, self.trees))
        return {parent if parents[parent := os.path.dirname(tree)] > MANY_GONE else tree for tree in self.trees}


@dataclass(kw_only=True)
class Watched:
    """What a watch wants of a scan. A root that is not in `changed` is walked whole. `around` are folders whose ignore
    files hold in the roots that lie in them, whether they are walked now or not; none: the roots themselves. `guard` is
    asked before files that are gone count as deleted. `steer` is called now and then while the files are walked, with
    the runs that are.

    The scan tells: `undecided` are roots of which too little was seen to say whether what is gone was deleted, so that
    they must be walked whole; `unreachable` are stores that could not be listed or read; `hidden`: files may pass whose
    names begin with a dot; `settles`: the digest under which files count as settled; `leaves_traces`: what is done with
    the files will be known the next time.
    """

    ready: Ready
    changed: Mapping[bytes, Changed] = field(default_factory=dict)
    around: frozenset[bytes] = frozenset()
    guard: Guard | None = None
    steer: Steer | None = None
    undecided: set[bytes] = field(default_factory=set)
    unreachable: set[bytes] = field(default_factory=set)
    hidden: bool = False
    settles: bytes = b""
    leaves_traces: bool = True


class WatchedScan(Scan):
    """As `Scan`. Files that are not ready are passed over, and their locations stay as they are. Of a root with
    changes, only the folders in which something changed are compared with what Loom remembers; the rules that hold in
    them are those of a whole walk."""

    def __init__(
        self,
        roots: Iterable[bytes],
        options: ScanOptions,
        watched: Watched,
        *,
        ledger: Ledger | None,
        host: str,
        plan: bytes,
        lanes: Sequence[LaneOptions] = (),
    ) -> None:
        super().__init__(roots, options, ledger=ledger, host=host, plan=plan, lanes=lanes)
        self._watched = watched
        watched.hidden = options.hidden or any(lane.source.hidden for lane in lanes)
        watched.settles, watched.leaves_traces = plan, ledger is not None and options.reconcile
        self._around = watched.around or self._given
        self._wanted = {root: _Wanted(root, changed) for root, changed in watched.changed.items()}
        self._newcomers = Newcomers()

    def _single_file(self, path: bytes, status: os.stat_result, relative: bytes, rules: AnyRules) -> Iterator[Found]:
        if self._watched.ready(path, status):
            yield from super()._single_file(path, status, relative, rules)

    def _list(self, tree: Tree, directory: Directory) -> Listing | None:
        listing = super()._list(tree, directory)
        wanted = self._wanted.get(tree.root)
        if listing is not None and wanted is not None:
            listing.directories = [name for name in listing.directories if wanted.enters(directory.entry(name))]
        return listing

    def _compare(self, tree: Tree, directory: Directory, listing: Listing) -> list[_Work]:
        wanted = self._wanted.get(tree.root)
        if wanted is None or wanted.looks_at(directory.path):
            return super()._compare(tree, directory, listing)
        if tree.remembered is not None:
            tree.remembered.note(directory.path, listing, {})
        listing.links = []
        return []

    def _work_of(
        self, tree: Tree, directory: Directory, part: Part, files: Files, known: dict[bytes, KnownFile]
    ) -> list[_Work]:
        work = super()._work_of(tree, directory, part, files, known)
        if self._watched.guard is not None:
            self._newcomers.note(work)
        return [one for one in work if self._watched.ready(directory.entry(one[0]), one[1])]

    def _reconcile(self, tree: Tree) -> None:
        changed = self._watched.changed.get(tree.root)
        if changed is not None and tree.remembered is not None:
            if not tree.remembered.shows_something:
                self._watched.undecided.add(tree.root)
                return
            tree.remembered.tops = changed.tops
        guard = self._watched.guard
        if guard is None or tree.remembered is None:
            super()._reconcile(tree)
            return
        asked = Asked(guard, tree.remembered, self._newcomers, is_whole=changed is None)
        tree.remembered.may_go = asked.may_go
        super()._reconcile(tree)
        asked.counted()


class _Wanted:
    """Which directories of a root a walk enters, and which of them it looks at."""

    def __init__(self, root: bytes, changed: Changed) -> None:
        self._root = root
        self._changed = changed
        self._ways = set(_above(root, changed.folders | changed.trees))

    def looks_at(self, directory: bytes) -> bool:
        return directory in self._changed.folders or self._is_in_tree(directory)

    def enters(self, directory: bytes) -> bool:
        return directory in self._ways or self._is_in_tree(directory)

    def _is_in_tree(self, directory: bytes) -> bool:
        while directory not in self._changed.trees:
            if len(directory) <= len(self._root):
                return False
            directory = os.path.dirname(directory)
        return True


def _above(root: bytes, paths: Collection[bytes]) -> Iterator[bytes]:
    """The paths and all folders above them that are below the root."""
    for path in paths:
        while len(path) > len(root):
            yield path
            path = os.path.dirname(path)
