"""`cortex watch`: walks folders and stores whole, then follows their changes, in rounds of an ordinary ingest."""

from __future__ import annotations

import math
import os
import platform
import queue
import time
from contextlib import nullcontext, suppress
from datetime import datetime
from functools import partial
from typing import NamedTuple

from cortex.app import check, ingest_with
from cortex.holding import Opened
from cortex.ingesting import Interruption, stop_signals, wishes
from cortex.request import Request
from cortex.settings import CortexSettings
from cortex.watching.again import Again
from cortex.watching.group import Group
from cortex.watching.guard import Deletions
from cortex.watching.named import NamedStore
from cortex.watching.pending import Pending, Work
from cortex.watching.quiet import Hush, QuietHours, in_words
from cortex.watching.roots import Place, Roots
from cortex.watching.schedule import Schedule
from cortex.watching.settling import Settling
from cortex.watching.standing import StandingLoom
from cortex.watching.stopping import grace
from cortex.watching.telling import RoundReporter, make_reporter, tell_manager
from cortex.watching.wanted import Wanted
from loom.ending import INTERRUPTED, no_room
from loom.errors import LoomError, is_retryable
from loom.settings import LoomSettings

RESCAN_S = 21_600.0

POLL_S = 300.0
"""How often a store is gone through by default."""

LOOK_S = 5.0
"""How often it is looked whether the roots are still there, and what Loom has to say."""

LOOKS_PART = 100
"""At most this part of the time is spent on asking Loom for what has changed."""

MENDED = frozenset({"DEFINITION_INVALID", "PIPELINE_DISABLED", "NOT_FOUND"})
"""What a person mends in Loom while the watch waits."""

SLIPPED = frozenset({"NOT_FOUND"})
"""A source that was removed while it was looked for."""


class Manner(NamedTuple):
    """How a watch goes about it: seconds without a change before a file counts as settled, seconds for files in hand
    when it is to end, seconds between two walks of a whole root (None: six hours, of a store five minutes) or the
    schedule for these; when it is quiet; whether many files that are gone count as deleted without a word from
    anybody."""

    settle_s: float
    grace_s: float
    rescan_s: float | None = None
    schedule: tuple[str, ...] = ()
    quiet_hours: tuple[str, ...] = ()
    accepts_deletions: bool = False

    @property
    def walks_every_s(self) -> float:
        return math.inf if self.schedule else RESCAN_S if self.rescan_s is None else self.rescan_s

    @property
    def polls_every_s(self) -> float:
        return math.inf if self.schedule else POLL_S if self.rescan_s is None else self.rescan_s


def watch_paths(request: Request, manner: Manner) -> int:
    """Watches until Ctrl-C or SIGTERM; returns the exit code: 0 when all files in hand were finished, 130 when they
    were not. Raises what keeps it from beginning."""
    check(request)
    if request.dry_run and request.serve:
        raise LoomError("USAGE", "--dry-run only looks at Loom now and then: `loom serve` beside it serves the page")
    if request.offline and not request.paths and request.pipeline is None:
        raise LoomError("USAGE", "say which folders to watch: cortex watch PATH... --offline")
    if manner.schedule and manner.rescan_s is not None:
        raise LoomError("USAGE", "--schedule says when folders are walked whole: leave out --rescan")
    reporter = make_reporter(request)
    with StandingLoom(request, reporter.note) as loom:
        return Watch(request, manner, loom, reporter).run()


class Watch:
    """The state of a watch. Other threads only tell of changes."""

    def __init__(self, request: Request, manner: Manner, loom: StandingLoom, reporter: RoundReporter) -> None:
        settings = CortexSettings.load({"jobs": request.jobs, "loom_url": request.loom_url})
        self._request = request
        self._unfinished = tuple(settings.unfinished)
        self._own = [os.fsencode(path.absolute()) for path in (settings.meta_path, LoomSettings.load({}).data_dir)]
        wishes(request, dry_run=False)
        self._manner = manner
        self._loom = loom
        self._reporter = reporter
        self._interruption = Interruption()
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._store = NamedStore(request)
        self._wanted = Wanted(request, platform.node(), reporter.note, self._store)
        self._roots = Roots(
            self._make_group,
            Settling(manner.settle_s),
            manner.walks_every_s,
            manner.polls_every_s,
            partial(self._wake.put, None),
            reporter.note,
        )
        asks = not (manner.accepts_deletions or request.dry_run)
        self._guard = Deletions(reporter.waiting, pipeline=request.pipeline) if asks else None
        self._schedule = Schedule(manner.schedule, datetime.now()) if manner.schedule else None
        self._hours = QuietHours(manner.quiet_hours)
        self._hush = Hush(self._hours)
        self._was_quiet = False
        self._look_at = self._ask_at = 0.0
        self._asking = Again(reporter.note)
        self._must_ask = True
        self._was_asked = False
        self._number = 0
        self._succeeded = False

    def _make_group(self, request: Request, pending: Pending) -> Group:
        request = request._replace(exclude=(*request.exclude, *self._unfinished))
        if not self._succeeded:
            request = request._replace(recompute=self._request.recompute, rehash=self._request.rehash)
        return Group(request, pending, self._own, self._reporter.note)

    def run(self) -> int:
        try:
            with stop_signals(self._interruption, partial(self._wake.put, None)):
                self._begin()
                while not self._interruption.came:
                    self._turn()
                tell_manager("STOPPING=1")
        finally:
            self._roots.end()
        return 0 if self._interruption.times < 2 else INTERRUPTED

    def _begin(self) -> None:
        """While Loom cannot be asked, what the command line names is followed where it says."""
        if self._is_quiet() or not self._ask():
            self._follow(self._wanted.given())
        if self._request.serve and self._is_quiet():
            self._loom.open()
        tell_manager("READY=1")

    def _follow(self, places: list[Place]) -> None:
        """Follows all roots before the first is walked, so that nothing is lost in between."""
        self._roots.follow(places, time.monotonic())
        while not (self._interruption.came or self._roots.ready):
            self._sleep(LOOK_S)
        number, former = len(self._roots), self._number
        self._number = number + self._wanted.lost
        if number and self._number != former and not self._request.quiet:
            what = "folder" if self._store.address is None else "store"
            self._reporter.note(f"watching {number} {what}{'s' * (number != 1)}")

    def _turn(self) -> None:
        now, is_quiet = time.monotonic(), self._is_quiet()
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            self._look(now, is_quiet)
        self._roots.pending.look(now=now, wall_ns=time.time_ns())
        at, group = self._roots.next()
        is_due = at <= now and not is_quiet
        if is_due and (self._must_ask or self._wanted.has_changed()):
            if self._ask():
                return
            is_due, at = False, self._asking.not_before
        if is_due and group is not None:
            self._try(group)
            return
        self._loom.rest()
        next_look = self._roots.pending.next_look()
        until = self._look_at if is_quiet else min(self._look_at, at, self._look_at if next_look is None else next_look)
        self._sleep(max(until - time.monotonic(), 0.01))

    def _look(self, now: float, is_quiet: bool) -> None:
        if not is_quiet and (self._must_ask or self._wanted.has_changed() or self._wanted.is_back()):
            self._ask()
        is_due = self._schedule is not None and self._schedule.is_due(datetime.now())
        self._must_ask = self._roots.look(now, is_due=is_due) or self._must_ask
        if not is_quiet and not self._request.dry_run and now >= self._ask_at:
            self._ask_for_changes()

    def _ask(self) -> bool:
        """Asks Loom for the stored sources, looks where they lie and follows them from then on; whether that could be
        done. Raises what no waiting helps against."""
        self._must_ask = True
        if time.monotonic() < self._asking.not_before:
            return False
        try:
            opened = self._loom.open()
            self._look_at_pipeline(opened)
            places = self._wanted.given() if opened is None else self._wanted.look(opened.loom)
        except (LoomError, OSError) as error:
            self._asking.later(self._or_raise(error, SLIPPED if self._was_asked else frozenset()))
            return False
        self._was_asked = True
        self._asking.done()
        self._must_ask = False
        self._follow(places)
        return True

    def _look_at_pipeline(self, opened: Opened | None) -> None:
        """While it cannot be used the one before counts, and the next round tells of it."""
        with suppress(LoomError) if self._was_asked else nullcontext():
            self._store.look(opened)
        if opened is None and not self._wanted.given():
            raise LoomError("USAGE", "say which folders to watch: cortex watch PATH... --offline")

    def _ask_for_changes(self) -> None:
        """Other sources, other pipelines or versions of them. While Loom is away, or what is in use cannot be used, the
        next round will tell."""
        began, is_outdated = time.monotonic(), False
        with suppress(LoomError, OSError):
            opened = self._loom.open()
            is_outdated = opened is not None and self._wanted.is_outdated(opened.loom)
            with suppress(LoomError):
                is_outdated = (opened is not None and self._store.look(opened)) or is_outdated
            for group in self._roots.groups.values() if self._succeeded else ():
                with suppress(LoomError):
                    self._walk_outdated(group, group.versions.now(opened))
        now = time.monotonic()
        self._ask_at = now + (now - began) * LOOKS_PART
        if is_outdated:
            self._ask()

    def _walk_outdated(self, group: Group, settles: bytes) -> None:
        """Pipelines of this digest are in use: the roots that were walked under another are walked whole."""
        outdated = group.versions.outdated(settles)
        if outdated and not self._request.quiet:
            self._reporter.note("other pipelines or versions are in use than before: folders are walked whole")
        for path in outdated:
            self._roots.walk_whole(path, time.monotonic())

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

    def _try(self, group: Group) -> None:
        """Carries out a round; one that cannot be done now waits, and nothing of it is lost."""
        work = self._roots.pending.take(group.roots)
        try:
            self._round(group, work)
        except (LoomError, OSError) as error:
            self._roots.pending.give_back(work)
            group.again.later(self._or_raise(error, MENDED))
        else:
            self._succeeded = True
        finally:
            self._loom.rest()

    def _or_raise(self, error: LoomError | OSError, mended: frozenset[str]) -> LoomError:
        """What to wait for, so that the watch goes on; errors of the codes `mended` are waited for, too. What was named
        on the command line must be right at the beginning."""
        told = no_room(error) if isinstance(error, OSError) else error
        if told is None or self._reporter.lost is not None:
            raise error
        if told.code in mended:
            waits = self._succeeded or self._request.pipeline is None
        else:
            waits = is_retryable(told.code) and (self._succeeded or told.code != "DATA_FOLDER_LOCKED")
        if not waits:
            raise error
        return told

    def _round(self, group: Group, work: Work) -> None:
        request = group.begin(
            work,
            guard=self._guard,
            steer=self._hush.steer,
            apart=self._roots.apart(work),
            away=self._wanted.away,
        )
        with grace(self._interruption, self._manner.grace_s):
            ingest_with(self._loom.open(), request, self._reporter, None, self._interruption)
        self._roots.done(work, group.unreachable, time.monotonic())
        self._walk_outdated(group, group.ended(work, self._reporter.again))
