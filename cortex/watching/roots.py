"""The roots of a watch, each in the group of those that have the same options."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Iterator
from typing import NamedTuple

from cortex.request import Request
from cortex.sources.roots import is_address, is_at_or_below
from cortex.watching.group import Group
from cortex.watching.pending import Pending, Work
from cortex.watching.polled import Polled
from cortex.watching.root import Root
from cortex.watching.settling import Settling


class Place(NamedTuple):
    """A folder or file, or the address of a store, that is to be watched, and the options that hold there."""

    path: bytes
    request: Request


class Roots:
    """Follows changes below roots and gathers what is due in them. Other threads only tell of changes; then `wake` is
    called."""

    def __init__(
        self,
        make_group: Callable[[Request, Pending], Group],
        settling: Settling,
        walks_every_s: float,
        polls_every_s: float,
        wake: Callable[[], None],
        note: Callable[[str], None],
    ) -> None:
        self.pending = Pending(settling, lambda root, path: self._followed[root][1].sieve.leaves(root, path))
        self.groups: dict[Request, Group] = {}
        self._make_group = make_group
        self._walks_every_s = walks_every_s
        self._polls_every_s = polls_every_s
        self._wake = wake
        self._note = note
        self._followed: dict[bytes, tuple[Root | Polled, Group]] = {}

    def __len__(self) -> int:
        return len(self._followed)

    @property
    def ready(self) -> bool:
        """Whether all changes are told from now on, as far as they can be."""
        return all(root.ready for root, _ in self._followed.values())

    def follow(self, places: Iterable[Place], now: float) -> None:
        """These from now on, and no others. New ones, and those that have other options now, are to be walked whole."""
        wanted = {place.path: self._group_for(place.request) for place in reversed(list(places))}
        former = set(self._followed)
        for path in former - wanted.keys():
            self._leave(path)
        for path, group in wanted.items():
            if path not in former:
                self._begin(path, group, now)
            elif (one := self._followed[path])[1] is not group:
                self._regroup(path, one[0], group, now)

    def _group_for(self, request: Request) -> Group:
        if request not in self.groups:
            self.groups[request] = self._make_group(request, self.pending)
        return self.groups[request]

    def _begin(self, path: bytes, group: Group, now: float) -> None:
        if is_address(path):
            root: Root | Polled = Polled(path, self._polls_every_s)
        else:
            root = Root(path, self._walks_every_s, self._changed, self._note)
        self._followed[path] = root, group
        group.roots.add(path)
        self.pending.add(path)
        root.begin(now)
        self.walk_whole(path, now)

    def _regroup(self, path: bytes, root: Root | Polled, group: Group, now: float) -> None:
        self._forget(path)
        self._followed[path] = root, group
        group.roots.add(path)
        self.walk_whole(path, now)

    def _leave(self, path: bytes) -> None:
        root, _ = self._followed[path]
        self._forget(path)
        root.end()
        del self._followed[path]
        self.pending.remove(path)

    def _forget(self, path: bytes) -> None:
        _, group = self._followed[path]
        group.roots.discard(path)
        group.versions.forget(path)

    def _changed(self, root: bytes, paths: list[bytes]) -> None:
        self.pending.changed(root, paths)
        self._wake()

    def look(self, now: float, *, is_due: bool) -> bool:
        """Looks at what became of the roots; whether any is to be walked whole. `is_due`: all are."""
        found = [path for path, (root, _) in self._followed.items() if root.must_be_walked(now) or is_due]
        for path in found:
            self.walk_whole(path, now)
        return bool(found)

    def walk_whole(self, path: bytes, now: float) -> None:
        self.pending.whole(path)
        self._followed[path][0].walked(now)

    def done(self, work: Work, unreachable: Container[bytes], now: float) -> None:
        """A round was carried out; these could not be reached."""
        for path in work.roots:
            root, _ = self._followed[path]
            if isinstance(root, Polled):
                root.done(now, reached=path not in unreachable)

    def next(self) -> tuple[float, Group | None]:
        """When there is to be a round next, and of which group."""
        due = min(self._due(), key=lambda one: one[0], default=None)
        return due or (math.inf, None)

    def _due(self) -> Iterator[tuple[float, Group]]:
        for group in self.groups.values():
            due = self.pending.due(group.roots)
            if due is not None:
                yield max(due, group.again.not_before), group

    def apart(self, work: Work) -> frozenset[bytes]:
        """The other roots that lie in those of a round."""
        others = (path for path in self._followed if path not in work.roots)
        return frozenset(path for path in others if any(is_at_or_below(path, root) for root in work.roots))

    def end(self) -> None:
        for root, _ in self._followed.values():
            root.end()
