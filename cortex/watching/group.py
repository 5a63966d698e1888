"""Roots that are walked with the same options."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path

from cortex.ingesting import wishes
from cortex.request import Request
from cortex.sources.loss import Guard
from cortex.sources.placing import is_near
from cortex.sources.roots import is_address
from cortex.sources.watched import Steer, Watched
from cortex.watching.again import Again
from cortex.watching.memory import Memory
from cortex.watching.pending import Pending, Work
from cortex.watching.sieve import Sieve
from cortex.watching.versions import Versions


class Group:
    """Roots with the options of `request`: what is due in them is ingested together, and what keeps one group from
    being ingested holds up no other."""

    def __init__(self, request: Request, pending: Pending, own: Sequence[bytes], note: Callable[[str], None]) -> None:
        """`own` are the folders in which this program keeps its data. Raises `USAGE` for patterns that cannot be
        read."""
        self.request = request
        self.roots: set[bytes] = set()
        self.sieve = Sieve(wishes(request, dry_run=False).exclude, own)
        self.again = Again(note)
        self.versions = Versions(request)
        self._pending = pending
        self._memory = Memory()
        self._watched = Watched(ready=self._is_ready)

    def begin(
        self, work: Work, *, guard: Guard | None, steer: Steer, apart: frozenset[bytes], away: Mapping[bytes, str]
    ) -> Request:
        """What a round asks of an ingest. `guard` and `steer` as in `Watched`, `apart` and `away` as in `Request`."""
        self._watched = Watched(
            ready=self._is_ready,
            changed=work.changed,
            around=frozenset(self.roots),
            guard=guard,
            steer=steer,
        )
        self._memory.begin()
        return self.request._replace(
            paths=tuple(Path(os.fsdecode(root)) for root in work.roots if not is_address(root)),
            watched=self._watched,
            apart=apart,
            away=tuple((path, why) for path, why in away.items() if is_near(path, work.roots)),
        )

    def ended(self, work: Work, again: Container[str]) -> bytes:
        """The round was carried out; of files at the paths `again`, as they are shown, something is to be tried again.
        Returns the digest of the pipelines that it used."""
        watched = self._watched
        self.sieve.hidden = watched.hidden
        self._memory.keep(again)
        for root in watched.undecided:
            self._pending.whole(root)
        self.again.done()
        self.versions.walked(work, watched.settles)
        self.request = self.request._replace(recompute=frozenset(), rehash=False)
        return watched.settles

    @property
    def unreachable(self) -> Container[bytes]:
        """The stores that the last round could not reach."""
        return self._watched.unreachable

    def _is_ready(self, path: bytes, status: os.stat_result) -> bool:
        forgotten, settles = not self._watched.leaves_traces, self._watched.settles
        if self.sieve.is_own(path) or (forgotten and self._memory.has(settles, path, status)):
            return False
        is_ready = self._pending.is_ready(path, status, now=time.monotonic(), wall_ns=time.time_ns())
        if forgotten and is_ready:
            self._memory.hand_on(path, status)
        return is_ready
