"""The scan of a store: finds what needs work, passes over what has not changed, and notices what is gone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

from cortex.sources.counts import Counts
from cortex.sources.found import EVERYBODY, Found, Part, ScanOptions
from cortex.sources.ignore import Rules
from cortex.sources.knownfiles import KnownFiles
from cortex.sources.lanes import LaneOptions, LaneRules
from cortex.sources.reconcile import Gone
from cortex.sources.remote.files import DEVICE, Listed, Remote, Store, Version
from cortex.sources.remote.loss import Leave
from cortex.sources.returned import Returned
from cortex.sources.roots import is_at_or_below, join
from cortex.sources.walk import AnyRules
from cortex.sources.watched import Watched
from loom.errors import LoomError
from loom.model import FileStat, KnownFile
from loom.verbs import Ledger

MOST_DEEP = 64
"""Folders in folders; what lies deeper is taken for a link to a folder around it, which some servers do not show."""

_ATTEMPTS = 4
_FIRST_PAUSE_S = 0.5


class Folders(Store, Protocol):
    """A store that lists its folders."""

    root: bytes

    def folder(self, url: bytes) -> Listed: ...

    def close(self) -> None: ...


class RemoteScan(Counts):
    """One scan of all at or below the root of a store, or only of some files, to be iterated once. A folder that cannot
    be listed makes the source unreachable, and nothing counts as gone then. What is gone is told to Loom when the scan
    has ended in order, never with a `limit`."""

    def __init__(
        self,
        opened: Callable[[], Folders],
        root: bytes,
        options: ScanOptions,
        *,
        ledger: Ledger | None,
        host: str,
        plan: bytes,
        listed: Iterable[bytes] | None = None,
        lanes: Sequence[LaneOptions] = (),
        watched: Watched | None = None,
    ) -> None:
        """`listed` are the addresses of files; None: all there are. `plan` and `lanes` as for `Scan`. Of `watched` only
        what is asked and told counts: a store is always gone through whole. Raises `USAGE` for a pattern without
        meaning."""
        super().__init__()
        self._opened = opened
        self._root = root
        self._options = options
        self._ledger = ledger
        self._host = host
        self._plan = plan
        self._known = KnownFiles(ledger, host, plan, options)
        self._listed = listed
        self._returned = Returned(ledger if options.reconcile else None, host)
        self._watched = watched
        self._leave = Leave(watched, ledger, host, plan, root)
        if watched is not None:
            watched.hidden = options.hidden or any(lane.source.hidden for lane in lanes)
            watched.settles, watched.leaves_traces = plan, ledger is not None and options.reconcile
        self._store: Folders | None = None
        self._gone: list[Gone] = []
        self._shows_something = False
        self._read: set[bytes] = set()
        self._kept: set[bytes] = set()
        """Folders that are there and were not read; nothing below them is gone."""
        try:
            self._rules: AnyRules = LaneRules.of(lanes, plan) if lanes else Rules.of(options)
        except ValueError as error:
            raise LoomError("USAGE", f"a pattern cannot be understood: {error}") from error

    def __iter__(self) -> Iterator[Found]:
        try:
            store = self._store = self._opened()
        except LoomError as error:
            if error.code != "SOURCE_UNREACHABLE":
                raise
            self._is_unreachable(error.message, [self._root])
            return
        found = self._walk(store) if self._listed is None else self._named(store, self._listed)
        yield from islice(found, self._options.limit)
        self._returned.tell()
        if self._listed is None and self._options.limit is None and not self.unreachable:
            self._reconcile()

    def close(self) -> None:
        if self._store is not None:
            self._store.close()

    def note_away(self, folder: bytes, why: str) -> None:
        super().note_away(folder, why)
        if self._watched is not None:
            self._watched.unreachable.add(self._root)

    def has_arrived(self, found: Found) -> None:
        """It was counted when it was found."""

    def was_unchanged(self, found: Found, version: Version) -> None:
        """It turned out so only when it was asked for."""
        self.seen, self.found = self.seen - 1, self.found - 1
        self.bytes, self.bytes_found = self.bytes - found.stat.size, self.bytes_found - found.stat.size
        known = None if found.remote is None else found.remote.known
        self.count_unchanged(1, version.size or 0, bool(known and known.failed))

    def has_vanished(self, found: Found) -> None:
        if self._listed is not None:
            self.note_unreadable(found.path, "FILE_VANISHED", LoomError("FILE_VANISHED").message)
        else:
            self.missing += self._known.mark_missing([(found.directory, found.name)] if found.known else [])

    def _walk(self, store: Folders) -> Iterator[Found]:
        stack = [(self._root, b"", self._rules)]
        while stack and not self.unreachable:
            url, relative, rules = stack.pop()
            try:
                listed = _patiently(lambda at=url: store.folder(at))  # type: ignore[misc]
            except LoomError as error:
                if self._cannot_list(url, error):
                    why = "there is no such bucket or folder" if error.code == "FILE_VANISHED" else error.message
                    self._is_unreachable(why, [url, *(other for other, *_ in stack)])
                continue
            self._read.add(url)
            yield from self._compare(store, url, relative, rules, listed)
            for name in sorted(set(listed.folders), reverse=True):
                below = join(relative, name) if relative else name
                if rules.leaves_name(name) or rules.leaves_directory(below):
                    self._kept.add(join(url, name))
                elif below.count(b"/") >= MOST_DEEP:
                    self._kept.add(join(url, name))
                    self.note_special(join(url, name))
                else:
                    stack.append((join(url, name), below, rules.enter(below)))

    def _cannot_list(self, url: bytes, error: LoomError) -> bool:
        """Whether that makes the source unreachable."""
        if url == self._root or error.code not in ("FILE_VANISHED", "FILE_UNREADABLE"):
            return True
        if error.code == "FILE_UNREADABLE":
            self._kept.add(url)
            self.note_unreadable(url, error.code, error.message)
            self._known.mark_unreachable(url)
        return False

    def _compare(self, store: Folders, url: bytes, relative: bytes, rules: AnyRules, listed: Listed) -> Iterator[Found]:
        """The files of a folder that need work; counts the others and notes what is gone."""
        versions = dict(listed.files)
        self._shows_something = self._shows_something or bool(versions or listed.special)
        files = [
            (name, _status(version))
            for name, version in sorted(versions.items())
            if not rules.leaves_name(name) and not rules.leaves_file(join(relative, name) if relative else name)
        ]
        for name in listed.special:
            self.note_special(join(url, name))
        for part, mine in rules.parts(relative, files):
            known = self._known.within(url, part)
            for name, _ in mine:
                below = join(relative, name) if relative else name
                yield from self._file(store, url, name, below, versions[name], known.get(name), part)
        known = self._known.within(url, EVERYBODY)
        self._gone.extend((url, file) for name, file in known.items() if file.present and name not in versions)

    def _file(
        self,
        store: Folders,
        url: bytes,
        name: bytes,
        relative: bytes,
        version: Version | None,
        known: KnownFile | None,
        part: Part,
    ) -> Iterator[Found]:
        trusted = None if self._options.rehash else known
        is_same = version is not None and trusted is not None and version.is_as(trusted)
        if trusted is not None and is_same and (trusted.settled or trusted.away):
            self.count_unchanged(1, trusted.size, trusted.failed)
            if trusted.away:
                self._returned.note(url, name, DEVICE)
            return
        if version is not None and not self._leave.is_ready(join(url, name), version, known):
            return
        stat = FileStat(0, 0, 0, DEVICE) if version is None else version.stat
        self.seen, self.found = self.seen + 1, self.found + 1
        self.bytes, self.bytes_found = self.bytes + stat.size, self.bytes_found + stat.size
        remote = Remote(store, join(url, name), self._root, version, trusted)
        asset = None if version is None else remote.asset(version)
        yield Found(url, name, relative, stat, asset, known is not None, part.lanes, part.settles, remote)

    def _named(self, store: Folders, listed: Iterable[bytes]) -> Iterator[Found]:
        """Single files, which may be hidden. What lies elsewhere is told, and left."""
        for url in listed:
            relative = url[len(self._root) :].lstrip(b"/")
            if not is_at_or_below(url, self._root) or not relative or url.endswith(b"/"):
                why = f"It does not lie below {os.fsdecode(self._root)}, from where this pipeline takes its files."
                self.note_unreadable(url, "NOT_FOUND", why)
            elif (part := self._rules.part(relative, 0)) is not None:
                folder, name = os.path.split(url)
                known = self._known.within(folder, part).get(name)
                yield from self._file(store, folder, name, relative, None, known, part)

    def _is_unreachable(self, why: str, urls: Iterable[bytes]) -> None:
        self.note_away(self._root, why)
        for url in urls:
            self._known.mark_unreachable(url)

    def _reconcile(self) -> None:
        """All was listed: what was not seen is gone. A store that shows nothing at all where there were files is taken
        for another one, as an empty folder is for a disk that is not mounted."""
        if self._ledger is None:
            return
        known = self._ledger.known_directories(self._host, self._root)
        if known and not (self._shows_something or self._kept):
            self._is_unreachable("it shows nothing, where there were files before", [self._root])
            return
        gone = self._gone + [
            (url, file)
            for url in known
            if url not in self._read and not any(is_at_or_below(url, kept) for kept in self._kept)
            for file in self._ledger.known_files(self._host, [url], self._plan)[0]
            if file.present
        ]
        if self._leave.may_go(gone):
            self.missing += self._known.mark_missing((url, file.name) for url, file in gone)
            self._leave.counted()


def _status(version: Version | None) -> os.stat_result:
    """What rules look at: the size."""
    return os.stat_result((0, 0, 0, 0, 0, 0, 0 if version is None else version.size or 0, 0, 0, 0))


def _patiently(work: Callable[[], Listed]) -> Listed:
    """Tries again what may pass, after 0.5, 1 and 2 seconds."""
    pause_s = _FIRST_PAUSE_S
    for _ in range(_ATTEMPTS - 1):
        try:
            return work()
        except LoomError as error:
            if error.code != "READ_FAILED":
                raise
        time.sleep(pause_s)
        pause_s *= 2
    return work()
