"""`cortex watch`: walks folders whole, then follows their changes, in rounds of an ordinary ingest."""

from __future__ import annotations

import math
import os
import queue
import time
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from cortex.app import ingest_with
from cortex.ingesting import Interruption, roots_of, wishes
from cortex.request import Request
from cortex.settings import CortexSettings
from cortex.sources.roots import absolute
from cortex.sources.watched import Watched
from cortex.watching.guard import Deletions
from cortex.watching.pending import Pending, Work
from cortex.watching.quiet import Hush, QuietHours, in_words
from cortex.watching.root import Root
from cortex.watching.schedule import Schedule
from cortex.watching.settling import Settling
from cortex.watching.sieve import Sieve
from cortex.watching.standing import StandingLoom
from cortex.watching.stopping import grace, stop_signals
from cortex.watching.telling import RoundReporter, make_reporter, tell_manager
from loom.ending import INTERRUPTED, no_room
from loom.errors import LoomError, is_retryable
from loom.settings import LoomSettings

RESCAN_S = 21_600.0

LOOK_S = 5.0
"""How often it is looked whether the roots are still there."""

AGAIN_S = 2.0
LONGEST_AGAIN_S = 60.0
"""How long a round that could not be done waits to be tried again: at first, and at most."""

MENDED = frozenset({"DEFINITION_INVALID", "PIPELINE_DISABLED", "NOT_FOUND"})
"""What a person mends in Loom while the watch waits."""


class Manner(NamedTuple):
    """How a watch goes about it: seconds without a change before a file counts as settled, seconds for files in hand
    when it is to end, seconds between two walks of a whole root (None: six hours) or the schedule for these; when it is
    quiet; whether many files that are gone count as deleted without a word from anybody."""

    settle_s: float
    grace_s: float
    rescan_s: float | None = None
    schedule: tuple[str, ...] = ()
    quiet_hours: tuple[str, ...] = ()
    accepts_deletions: bool = False

    @property
    def walks_every_s(self) -> float:
        return math.inf if self.schedule else RESCAN_S if self.rescan_s is None else self.rescan_s


def watch_paths(request: Request, manner: Manner) -> int:
    """Watches until Ctrl-C or SIGTERM; returns the exit code: 0 when all files in hand were finished, 130 when they
    were not. Raises what keeps it from beginning."""
    if request.events and not request.json:
        raise LoomError("USAGE", "--events are JSON lines: say --json too")
    if not request.paths:
        raise LoomError("USAGE", "say which folders to watch: cortex watch PATH...")
    if manner.schedule and manner.rescan_s is not None:
        raise LoomError("USAGE", "--schedule says when folders are walked whole: leave out --rescan")
    reporter = make_reporter(request)
    with StandingLoom(request, reporter.note) as loom:
        return Watch(request, manner, loom, reporter).run()


class Watch:
    """The state of a watch. Other threads only tell of changes."""

    def __init__(self, request: Request, manner: Manner, loom: StandingLoom, reporter: RoundReporter) -> None:
        settings = CortexSettings.load({"jobs": request.jobs, "loom_url": request.loom_url})
        self._request = request._replace(exclude=(*request.exclude, *settings.unfinished))
        own = (settings.meta_path, LoomSettings.load({}).data_dir)
        self._sieve = Sieve(
            wishes(self._request, dry_run=False).exclude, [os.fsencode(path.absolute()) for path in own]
        )
        self._manner = manner
        self._loom = loom
        self._reporter = reporter
        self._interruption = Interruption()
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        paths = list(dict.fromkeys(map(absolute, roots_of(request))))
        self._pending = Pending(paths, Settling(manner.settle_s), self._sieve.leaves)
        self._roots = [Root(path, manner.walks_every_s, self._changed, reporter.note) for path in paths]
        self._guard = None if manner.accepts_deletions else Deletions(reporter.waiting)
        self._schedule = Schedule(manner.schedule, datetime.now()) if manner.schedule else None
        self._hours = QuietHours(manner.quiet_hours)
        self._hush = Hush(self._hours)
        self._was_quiet = False
        self._look_at = self._not_before = 0.0
        self._again_s = AGAIN_S
        self._said = ""
        self._succeeded = False

    def run(self) -> int:
        try:
            with stop_signals(self._interruption, partial(self._wake.put, None)):
                self._begin()
                while not self._interruption.came:
                    self._turn()
                tell_manager("STOPPING=1")
        finally:
            for root in self._roots:
                root.end()
        return 0 if self._interruption.times < 2 else INTERRUPTED

    def _begin(self) -> None:
        """Follows all roots before the first is walked, so that nothing is lost in between."""
        now = time.monotonic()
        for root in self._roots:
            root.begin(now)
            self._walk_whole(root, now)
        while not self._interruption.came and not all(root.ready for root in self._roots):
            self._sleep(LOOK_S)
        if not self._request.quiet:
            self._reporter.note(f"watching {len(self._roots)} {'folder' if len(self._roots) == 1 else 'folders'}")
        if self._request.serve and self._is_quiet():
            self._loom.open()
        tell_manager("READY=1")

    def _changed(self, root: bytes, paths: list[bytes]) -> None:
        self._pending.changed(root, paths)
        self._wake.put(None)

    def _turn(self) -> None:
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            is_due = self._schedule is not None and self._schedule.is_due(datetime.now())
            for root in self._roots:
                if root.must_be_walked(now) or is_due:
                    self._walk_whole(root, now)
        self._pending.look(now=now, wall_ns=time.time_ns())
        is_quiet = self._is_quiet()
        work = self._pending.take(now) if now >= self._not_before and not is_quiet else None
        if is_quiet:
            self._sleep(LOOK_S)
        elif work is None:
            next_look = self._pending.next_look()
            until = min(self._look_at, max(next_look, self._not_before) if next_look is not None else self._look_at)
            self._sleep(max(until - time.monotonic(), 0.01))
        else:
            self._try(work)

    def _walk_whole(self, root: Root, now: float) -> None:
        self._pending.whole(root.path)
        root.walked(now)

    def _is_quiet(self) -> bool:
        """Whether no round may begin now, by the clock on the wall."""
        now = datetime.now()
        until = self._hours.until(now)
        if until is not None and not self._was_quiet and not self._request.quiet:
            self._reporter.note(f"{in_words(now, until)}: what changes is gathered")
        self._was_quiet = until is not None
        return self._was_quiet

    def _sleep(self, seconds: float) -> None:
        """Until something is told, or so long."""
        try:
            self._wake.get(timeout=seconds)
            while True:
                self._wake.get_nowait()
        except queue.Empty:
            return

    def _try(self, work: Work) -> None:
        """Carries out a round; one that cannot be done now waits, and nothing of it is lost."""
        try:
            self._round(work)
        except (LoomError, OSError) as error:
            told = no_room(error) if isinstance(error, OSError) else error
            if told is None or self._reporter.lost is not None or not self._may_be_mended(told):
                raise
            self._pending.give_back(work)
            self._not_before = time.monotonic() + self._again_s
            self._again_s = min(self._again_s * 2, LONGEST_AGAIN_S)
            if (said := f"{told.code}: {told.message}") != self._said:
                self._said = said
                self._reporter.note(f"{said} (tried again until it can be done)")
        else:
            self._again_s, self._said, self._succeeded = AGAIN_S, "", True
        finally:
            self._loom.rest()

    def _may_be_mended(self, error: LoomError) -> bool:
        """Whether the watch goes on. What was named on the command line must be right at the beginning."""
        if error.code in MENDED:
            return self._succeeded or self._request.pipeline is None
        return is_retryable(error.code) and (self._succeeded or error.code != "DATA_FOLDER_LOCKED")

    def _round(self, work: Work) -> None:
        watched = Watched(ready=self._is_ready, changed=work.changed, guard=self._guard, steer=self._hush.steer)
        request = self._request._replace(paths=tuple(Path(os.fsdecode(root)) for root in work.roots), watched=watched)
        with grace(self._interruption, self._manner.grace_s):
            ingest_with(self._loom.open(), request, self._reporter, None, self._interruption)
        self._sieve.hidden = watched.hidden
        for root in watched.undecided:
            self._pending.whole(root)

    def _is_ready(self, path: bytes, status: os.stat_result) -> bool:
        if self._sieve.is_own(path):
            return False
        return self._pending.is_ready(path, status, now=time.monotonic(), wall_ns=time.time_ns())
