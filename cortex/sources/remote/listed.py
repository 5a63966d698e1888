"""A list that names files of this machine and addresses of the web."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from cortex.sources.found import Found, ScanOptions
from cortex.sources.lanes import LaneOptions
from cortex.sources.remote.files import DEVICE, Remote, Version
from cortex.sources.scan import Scan
from loom.model import FileStat
from loom.verbs import Ledger

if TYPE_CHECKING:
    from cortex.sources.remote.web import Web


class ListedScan(Scan):
    """As `Scan`; entries of the list may be addresses. Servers are asked when the files are brought, several at a time:
    only then it is known whether one has changed, and only then it is counted."""

    def __init__(
        self,
        roots: Iterable[bytes],
        options: ScanOptions,
        *,
        ledger: Ledger | None,
        host: str,
        plan: bytes,
        listed: Iterable[bytes],
        lanes: Sequence[LaneOptions] = (),
        max_size: int,
    ) -> None:
        """`max_size`: the most bytes of a file at an address."""
        super().__init__(roots, options, ledger=ledger, host=host, plan=plan, listed=listed, lanes=lanes)
        self._max_size = max_size
        self._web: Web | None = None

    def has_arrived(self, found: Found) -> None:
        self.seen, self.found = self.seen + 1, self.found + 1
        self.bytes, self.bytes_found = self.bytes + found.stat.size, self.bytes_found + found.stat.size

    def was_unchanged(self, found: Found, version: Version) -> None:
        known = None if found.remote is None else found.remote.known
        self.count_unchanged(1, version.size or 0, bool(known and known.failed))

    def has_vanished(self, found: Found) -> None:
        self.note_unreadable(found.path, "FILE_VANISHED", "The server says that it is not there.")

    def close(self) -> None:
        if self._web is not None:
            self._web.close()
            self._web = None

    def _named(self, entry: bytes) -> Iterator[Found]:
        from cortex.sources.remote import web as remote_web

        if not remote_web.ADDRESS.match(entry):
            yield from super()._named(entry)
            return
        try:
            place = remote_web.place_of(entry)
        except ValueError as error:
            self.note_unreadable(remote_web.shown_place(entry), "FILE_UNREADABLE", str(error))
            return
        relative = place.partition(b"://")[2]
        part = self._rules.part(relative, 0)
        if part is None:
            return
        folder, name = os.path.split(place)
        known = self._known.within(folder, part).get(name)
        if self._web is None:
            self._web = remote_web.Web(self._max_size)
        remote = Remote(self._web, place, remote_web.origin_of(place), known=None if self._options.rehash else known)
        stat = FileStat(0, 0, 0, DEVICE)
        yield Found(folder, name, relative, stat, None, known is not None, part.lanes, part.settles, remote)
