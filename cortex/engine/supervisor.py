"""Hands files to workers, answers them, takes in their results, and sorts out what happened when one dies."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from cortex.engine import wire
from cortex.engine.autopsy import Cause, Court, Verdict, cause_of
from cortex.engine.board import IDLE, WAITING, Page
from cortex.engine.concurrency import JOBS
from cortex.engine.crew import Crew, Death, Hand
from cortex.engine.headstart import HeadStart
from cortex.engine.records import Answer, Identity, Item, Setup, Walked
from cortex.engine.scratch import with_files
from cortex.engine.switchboard import Switchboard
from cortex.engine.workload import Workload
from loom.errors import LoomError
from loom.model import Depth

MAX_FAILED_STARTS = 3
MAX_SERVER_DEATHS = 5
_LOOK_S = 0.25
"""How often workers are looked at, at least: their deadlines change without a word."""
_SOURCE_S = 0.01
"""How often a source that had nothing is asked again."""
_AHEAD = 2
"""So many batches for each worker are known beforehand, while there are files."""
_FAREWELL_S = 1.0

Answerer = Callable[[Sequence[Identity]], Sequence[Answer]]


class Supervisor:
    """Not thread-safe; never waits but in `listen`."""

    def __init__(self, setup: Setup, jobs: int, head_start: HeadStart | None = None) -> None:
        self.work = Workload(iter(()))
        self.switchboard = Switchboard()
        self.crew = Crew(setup, jobs, head_start)
        self._limits = setup.limits
        self._jobs = self._most = jobs
        self._concurrency: Mapping[str, int] = {}
        self._court = Court()
        self._failed_starts = 0
        self._was_ready = False
        self._pause: Depth | None = None

    @property
    def in_flight(self) -> int:
        """How many files were taken from the source or handed in again and are not done yet."""
        return len(self.work) + sum(len(hand.items) for hand in tuple(self.crew.hands))

    def close(self) -> None:
        """Ends all workers: in order when none has anything in hand."""
        if not any(hand.items for hand in self.crew.hands):
            self.crew.dismiss(_FAREWELL_S)
        self.crew.close()
        self.switchboard.close()

    def pause(self, depth: Depth | None) -> None:
        """No file is dealt while the pause goes deeper than new assets; see `Depth`."""
        if depth is self._pause:
            return
        self._pause = depth
        self.crew.halt(self._stands_still)
        if depth is Depth.NOW:
            self.crew.drop()

    def limit(self, concurrency: Mapping[str, int]) -> None:
        """How many files may be at a time in the steps of an operator, at a resource, or (`jobs`) in work at all."""
        if concurrency is not self._concurrency:
            self._concurrency = concurrency
            self._most = min(self._jobs, concurrency.get(JOBS, self._jobs))
            self.crew.limit(concurrency)

    @property
    def _stands_still(self) -> bool:
        return self._pause is not None and self._pause >= Depth.NODE

    def supply(self) -> None:
        """Fetches work for the workers that have room, and starts more of them if that is not enough."""
        if self._stands_still:
            return
        crew, hands = self.crew, self.crew.hands
        unstarted = max(0, self._most - len(hands))
        starting = sum(not hand.ready for hand in hands)
        busy = sum(bool(hand.batches) for hand in hands if hand.ready)
        idle = [hand for hand in hands if hand.idle][: max(0, self._most - busy)]
        quick = [hand for hand in hands if hand.takes_another] if busy <= self._most else []
        room = sum(hand.size for hand in idle + quick) + starting + unstarted
        ahead = _AHEAD * sum(hand.size for hand in hands)
        self.work.gather(time.monotonic(), room + ahead if room else 0)
        if not self.work.backlog:
            return
        for _ in range(min(unstarted, self.work.backlog - len(idle) - starting)):
            self.switchboard.watch(crew.start())
            starting += 1
        self.switchboard.watch_control(crew.control)
        for hand in self._deal(idle, quick if not starting else []):
            self.switchboard.watch(hand)

    def _deal(self, idle: list[Hand], quick: list[Hand]) -> list[Hand]:
        """Suspects alone to idle workers, the rest to all, those to come included, in batches that become smaller
        towards the end, so that all end together; returns those that got something. Before the end only so much
        smaller that a moment with few files does not cost a message for each."""
        served: list[Hand] = []
        while idle and (suspect := self.work.take_suspect()) is not None:
            served.append(idle.pop())
            served[-1].give([suspect], alone=True)
        takers = idle + quick
        while takers and self.work.waiting:
            share = -(-self.work.waiting // (_AHEAD * len(self.crew.hands)))
            hand = takers.pop(0)
            least = 1 if self.work.exhausted else -(-hand.size // _AHEAD)
            hand.give(self.work.take(min(hand.size, max(share, least))))
            served.append(hand)
        return served

    def listen(self, answer: Answerer) -> list[Walked]:
        """Waits until there is something to do, and does it; returns the results that came."""
        crew, switchboard, now = self.crew, self.switchboard, time.monotonic()
        longest = _SOURCE_S if self.work.source_is_idle else _LOOK_S
        calls = switchboard.wait(max(0.0, min(longest, crew.next_deadline() - now, self.work.next_due - now)))
        results: list[Walked] = []
        asked: list[tuple[Hand, list[Identity]]] = []
        for hand in calls.hands:
            asked += [(hand, identities) for identities in self._read(hand, results)]
            if hand.line.hung_up:
                switchboard.unwatch(hand)
        if calls.news:
            for death in crew.deaths():
                switchboard.unwatch(death.hand)
                self._bury(death, results)
            switchboard.watch_control(crew.control)
        for hand in self._answer(answer, [(hand, identities) for hand, identities in asked if hand in crew.hands]):
            if not hand.line.hung_up:
                switchboard.watch(hand)
        crew.kill_overdue(time.monotonic())
        return results

    def _read(self, hand: Hand, results: list[Walked], *, dead: bool = False) -> list[list[Identity]]:
        """Takes in what a worker said, and returns what it asked; what is not about a file that it has in hand is not
        believed."""
        try:
            reports = hand.line.receive(everything=dead)
        except (ValueError, msgspec.DecodeError):
            self.crew.kill(hand)
            return []
        asked: list[list[Identity]] = []
        hand.heard = time.monotonic()
        for report in reports:
            for log in report.logs:
                _pass_on(log, hand.items.get(log.token))
            for walked in report.walked:
                item = hand.items.get(walked.token)
                if item is None:
                    continue
                try:
                    results.append(with_files(walked, hand.scratch, item.resume))
                except ValueError:
                    self.crew.kill(hand)
                    return asked
                del hand.items[walked.token]
                self._court.close(walked.token)
            if report.asked:
                asked.append([identity for identity in report.asked if identity.token in hand.items])
            hand.seconds += report.seconds
            hand.error = report.error
            if report.ended and not dead:
                self._batch_ended(hand, report.grown)
        return asked

    def _batch_ended(self, hand: Hand, grown: int) -> None:
        """The first time: the worker is ready. A worker that has worked much, has grown or has filled its file
        retires."""
        hand.ready = self._was_ready = True
        self._failed_starts = 0
        if hand.batches:
            hand.batch_ended()
        is_full = hand.scratch is not None and hand.scratch.size > 0
        if is_full or hand.done >= self._limits.recycle or grown > self._limits.memory // 4:
            hand.retiring = True
        if not hand.batches and hand.items:
            self.crew.kill(hand)
        elif not hand.batches and hand.retiring:
            hand.say_farewell()

    def _answer(self, answer: Answerer, asked: list[tuple[Hand, list[Identity]]]) -> list[Hand]:
        """Asks once for all workers that wait for an answer; returns them."""
        identities = [identity for _, mine in asked for identity in mine]
        if not identities:
            return []
        answers = {one.token: one for one in answer(identities)}
        for hand, mine in asked:
            told = [answers[identity.token] for identity in mine]
            for one in told:
                if not one.walk:
                    del hand.items[one.token]
                    self._court.close(one.token)
            if told:
                hand.heard = time.monotonic()
                hand.line.send(wire.Order(answers=told))
        return [hand for hand, _ in asked]

    def _bury(self, death: Death, results: list[Walked]) -> None:
        """Reads what a dead worker had still said, finds out of what it died, and takes its files back."""
        hand, status = death
        page = self.crew.last_page(hand)
        self._read(hand, results, dead=True)
        hand.line.close()
        if hand.leaving:
            return
        if hand.dropped:
            self.work.put_back([Verdict(item) for item in hand.items.values()])
            hand.items.clear()
            return
        killed = status == -signal.SIGKILL and hand.killed_at is None
        cause = cause_of(
            status or 0, page, overdue=hand.overdue, out_of_memory=killed and self.crew.ran_out_of_memory()
        )
        if not hand.ready:
            self._failed_start(hand, cause)
        culprit = None
        if status is not None and not (hand.overdue and page.deadline > (hand.killed_at or 0.0)):
            suspect = _suspect(hand, page)
            culprit = hand.items.pop(suspect, None) if suspect is not None else None
        verdicts = [] if culprit is None else [self._court.accuse(culprit, page, cause)]
        verdicts += [self._court.lost(item, cause) for item in hand.items.values()]
        hand.items.clear()
        self.work.put_back([verdict for verdict in verdicts if verdict.walked is None])
        results.extend(verdict.walked for verdict in verdicts if verdict.walked is not None)
        if self.crew.server_deaths > MAX_SERVER_DEATHS:
            raise LoomError("INTERNAL", "the server of the worker processes died again and again")

    def _failed_start(self, hand: Hand, cause: Cause) -> None:
        """Raises when no worker gets ready: at once when it says why and none ever did, else after a few."""
        self._failed_starts += 1
        if hand.error is not None and not self._was_ready:
            raise LoomError(*hand.error)
        if self._failed_starts >= MAX_FAILED_STARTS:
            code, message = hand.error or ("INTERNAL", cause.message)
            raise LoomError(code, f"no worker process gets ready: {message}")


def _suspect(hand: Hand, page: Page) -> int | None:
    """The token of the file of which a worker may have died; a worker that waits for its turn did nothing."""
    if page.stage == WAITING:
        return None
    if hand.alone:
        return next(iter(hand.items), None)
    return page.token if page.stage != IDLE else None


def _pass_on(log: wire.Log, item: Item | None) -> None:
    path = os.fsdecode(item.path) if item is not None else "worker"
    logging.getLogger(log.logger).log(log.level, "%s: %s", path, log.message)
