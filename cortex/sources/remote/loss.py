"""What a watch has a say in when a store is gone through: which files are taken, and whether what is gone may go."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cortex.sources.found import EVERYBODY
from cortex.sources.loss import Asked, Newcomers
from cortex.sources.reconcile import Gone, Remembered
from cortex.sources.remote.files import DEVICE, Version
from cortex.sources.roots import join
from cortex.sources.watched import Watched
from loom.model import KnownFile
from loom.verbs import Ledger


class Leave:
    """Without a watch, everything is let through."""

    def __init__(self, watched: Watched | None, ledger: Ledger | None, host: str, plan: bytes, root: bytes) -> None:
        self._watched = watched
        self._remembered = None if ledger is None else _InStore(ledger, host, plan, root)
        self._newcomers = Newcomers()
        self._asked: Asked | None = None

    def is_ready(self, path: bytes, version: Version, known: KnownFile | None) -> bool:
        """Whether a file that needs work is taken now."""
        if self._watched is None:
            return True
        stat = version.stat
        status = os.stat_result(
            (0, stat.inode, DEVICE, 0, 0, 0, stat.size, 0, stat.mtime_ns // 1_000_000_000, 0),
            {"st_mtime_ns": stat.mtime_ns},
        )
        self._newcomers.note([(os.path.basename(path), status, known, EVERYBODY)])
        return self._watched.ready(path, status)

    def may_go(self, gone: Sequence[Gone]) -> bool:
        """Whether these files, which all of the store was searched for, count as deleted."""
        if self._watched is None or self._watched.guard is None or self._remembered is None:
            return True
        self._remembered.lost = frozenset(join(folder, file.name) for folder, file in gone)
        self._asked = Asked(self._watched.guard, self._remembered, self._newcomers, is_whole=True)
        return self._asked.may_go(iter(gone), ())

    def counted(self) -> None:
        """Loom was told."""
        if self._asked is not None:
            self._asked.counted()


class _InStore(Remembered):
    """What Loom remembers of a store. `lost` is what is not there."""

    lost: frozenset[bytes] = frozenset()

    def still_gone(self, paths: Sequence[bytes]) -> bool:
        return not self.lost.isdisjoint(paths)
