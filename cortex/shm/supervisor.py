"""Looks after the processes of a pipeline: starts them, lets them go when all are ready, starts failed ones again,
and ends what is left. One thread does it all; others ask it by setting a flag and waking it."""

from __future__ import annotations

import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Literal

from cortex.shm import task as words
from cortex.shm.errors import TaskError
from cortex.shm.task import Job, main

log = logging.getLogger("cortex.shm")

State = Literal["STARTING", "RUNNING", "WAITING", "ENDED", "FAILED", "STOPPED"]

GRACE_S = 2.0
"""How long tasks may take to end: when another has failed, and again when they were told to stop."""

_TICK_S = 0.2
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 5.0


@dataclass(slots=True)
class Hand:
    """A task and the process that it has at the moment. `due`: when it is to be started again."""

    job: Job
    restarts_left: int
    state: State = "STARTING"
    process: BaseProcess | None = None
    line: Connection | None = None
    restarts: int = 0
    is_ready: bool = False
    is_told: bool = False
    is_killed: bool = False
    due: float | None = None
    said: tuple[str, ...] = ()
    error: TaskError | None = None

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process is not None else None

    @property
    def is_over(self) -> bool:
        return self.process is None and self.due is None and self.state in ("ENDED", "FAILED", "STOPPED")


class Supervisor:
    """`hands` in the order in which they are started. `may_rest` says whether a pipeline of which all living tasks
    wait for events is to be ended, as nobody is there to signal any."""

    def __init__(self, context: BaseContext, hands: Mapping[str, Hand], may_rest: Callable[[], bool]) -> None:
        self.hands = hands
        self.error: TaskError | None = None
        self._context = context
        self._may_rest = may_rest
        self._ended = threading.Event()
        self._stopping_since: float | None = None
        self._failed_since: float | None = None
        self._all_went = False
        self._rested = 0
        self._bell, self._ringer = socket.socketpair()

    def start(self) -> None:
        """Raises what keeps a process from being started; those that were are ended then."""
        try:
            for hand in self.hands.values():
                self._launch(hand)
        except BaseException:
            for hand in self.hands.values():
                if hand.process is None:
                    hand.state = "STOPPED"
            self.stop()
            raise
        finally:
            threading.Thread(target=self._run, name="supervisor", daemon=True).start()

    def stop(self) -> None:
        """Tells all to stop; who does not is killed after a grace time. Returns at once."""
        if self._ended.is_set():
            return
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
        with suppress(OSError):
            self._ringer.send(b"s")

    def wait(self, timeout: float | None = None) -> bool:
        """Until all have ended; whether they have."""
        return self._ended.wait(timeout)

    @property
    def is_stopping(self) -> bool:
        return self._stopping_since is not None

    def _run(self) -> None:
        try:
            with self._bell, self._ringer:
                while not all(hand.is_over for hand in self.hands.values()):
                    self._look()
        finally:
            self._ended.set()

    def _look(self) -> None:
        """Waits for news, or a while, and sees what is to be done."""
        living = [hand for hand in self.hands.values() if hand.process is not None]
        sentinels = [hand.process.sentinel for hand in living if hand.process is not None]
        lines = [hand.line for hand in living if hand.line is not None]
        if self._bell in wait([*lines, *sentinels, self._bell], _TICK_S):
            self._bell.recv(64)
        for hand in living:
            self._hear(hand)
            if hand.process is not None and hand.process.exitcode is not None:
                self._hear(hand)  # what it said right before
                self._bury(hand, hand.process)
        self._let_go()
        self._start_again()
        self._press()

    def _launch(self, hand: Hand) -> None:
        ours, theirs = self._context.Pipe()
        try:
            process = self._context.Process(target=main, args=(hand.job, theirs), name=hand.job.name)  # type: ignore[attr-defined]
            process.start()
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        hand.state, hand.process, hand.line = "STARTING", process, ours
        hand.is_ready, hand.said = False, ()

    def _hear(self, hand: Hand) -> None:
        line = hand.line
        try:
            while line is not None and line.poll():
                hand.said = said = line.recv()
                if said[0] == words.READY:
                    hand.is_ready = True
                    hand.state = "STARTING" if not self._all_went else self._go(hand)
                elif said[0] in (words.WAITING, words.RUNNING):
                    hand.state = "WAITING" if said[0] == words.WAITING else "RUNNING"
        except (EOFError, OSError):
            if hand.line is not None:
                hand.line.close()
            hand.line = None

    def _let_go(self) -> None:
        """Once all are ready: no function starts before every reader is in its place."""
        if self._all_went or self._failed_since is not None or self.is_stopping:
            return
        if all(hand.is_ready or hand.is_over for hand in self.hands.values()):
            self._all_went = True
            for hand in self.hands.values():
                if hand.is_ready and hand.process is not None:
                    hand.state = self._go(hand)

    def _go(self, hand: Hand) -> State:
        with suppress(OSError, AttributeError):
            hand.line.send(words.GO)  # type: ignore[union-attr]
        return "RUNNING"

    def _bury(self, hand: Hand, process: BaseProcess) -> None:
        hand.process = None
        process.join()
        code = process.exitcode or 0
        process.close()
        if hand.line is not None:
            hand.line.close()
            hand.line = None
        last = hand.said[0] if hand.said else ""
        if last == words.ENDED:
            hand.state = "ENDED"
        elif self.is_stopping and last != words.FAILED:
            hand.state = "STOPPED"
        else:
            hand.state = "FAILED"
            self._failed(hand, code)
        if hand.due is None:
            self._leave(hand)

    def _failed(self, hand: Hand, code: int) -> None:
        hand.error = error = _error(hand, code)
        if hand.restarts_left > 0 and self._all_went and self._failed_since is None and not self.is_stopping:
            pause = min(_FIRST_PAUSE_S * 2**hand.restarts, _LONGEST_PAUSE_S)
            hand.due = time.monotonic() + pause
            hand.restarts_left -= 1
            hand.restarts += 1
            log.warning("%s\n\nIt is started again in %g s.", error, pause)
            return
        log.error("%s", error)
        self._give_up(error)

    def _give_up(self, error: TaskError) -> None:
        self.error = self.error or error
        if self._failed_since is None:
            self._failed_since = time.monotonic()

    def _leave(self, hand: Hand) -> None:
        """Others see the end of its streams, and do not wait for it any more."""
        for ring in hand.job.writes.values():
            ring.end(broken=hand.state != "ENDED")
        for place in hand.job.reads.values():
            place.ring.leave(place.number)

    def _start_again(self) -> None:
        for hand in self.hands.values():
            if hand.due is None:
                continue
            if self.is_stopping or self._failed_since is not None:
                hand.due = None
                self._leave(hand)
            elif hand.due <= time.monotonic():
                hand.due = None
                try:
                    self._launch(hand)
                except Exception as error:
                    hand.error = TaskError(hand.job.name, f"it could not be started again: {error}")
                    self._give_up(hand.error)
                    self._leave(hand)

    def _press(self) -> None:
        """Ends what does not end by itself though it should."""
        now = time.monotonic()
        if self._failed_since is not None and not self.is_stopping:
            if not self._all_went or now - self._failed_since > GRACE_S:
                self.stop()
        elif not self.is_stopping and self._is_at_rest():
            self.stop()
        if self._stopping_since is None:
            return
        for hand in self.hands.values():
            if hand.process is None:
                continue
            if not hand.is_told:
                hand.is_told = True
                hand.process.terminate()
            elif not hand.is_killed and now - self._stopping_since > GRACE_S:
                hand.is_killed = True
                log.warning("The task %r did not stop within %g s; it is killed.", hand.job.name, GRACE_S)
                hand.process.kill()

    def _is_at_rest(self) -> bool:
        """Whether only tasks are left that wait for events which are closed and nobody can signal any more, seen twice
        in a row, so that a signal on its way has arrived."""
        living = [hand for hand in self.hands.values() if not hand.is_over]
        rests = all(hand.state == "WAITING" and hand.job.control and not hand.job.control.is_open() for hand in living)
        self._rested = self._rested + 1 if rests and self._may_rest() else 0
        return self._rested > 2


def _error(hand: Hand, code: int) -> TaskError:
    name, said = hand.job.name, hand.said
    if said and said[0] == words.FAILED:
        return TaskError(name, *said[1:])
    if said and said[0] == words.STOPPED:
        return TaskError(name, "another program stopped it by SIGTERM")
    return TaskError(name, _death(code) + ("" if hand.is_ready else " before its function was called"))


def _death(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return f"it was killed by {signal.Signals(-code).name}"
    return f"its process ended with exit code {code}"
