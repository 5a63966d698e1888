"""The worker processes as the parent sees them: starting, hearing of their end, killing."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cortex.engine import orders, scratch, turns, wire
from cortex.engine.board import Board, Page
from cortex.engine.headstart import HeadStart, Server, launch
from cortex.engine.records import Item, Setup
from cortex.engine.scratch import Scratch

MAX_BATCH = 64
BATCH_S = 0.2
"""Batches grow until they take about this long, so that the last ones do not keep everybody waiting."""

_QUICK = 2
"""A worker whose batches have at least this size is given the next one while it is at work on one."""

_HANG_UP_S = 1.0
"""How soon a worker that has hung up must have ended."""


@dataclass(eq=False)
class Hand:
    """One worker process. `items` are the files it has, by token; `size` is how many it is given at a time. `scratch`
    is the file for what is too large for its memory."""

    slot: int
    line: wire.Line
    began: float
    ready: bool = False
    retiring: bool = False
    leaving: bool = False
    alone: bool = False
    killed_at: float | None = None
    overdue: bool = False
    dropped: bool = False
    heard: float = 0.0
    error: tuple[str, str] | None = None
    items: dict[int, Item] = field(default_factory=dict)
    batches: deque[int] = field(default_factory=deque)
    size: int = 1
    done: int = 0
    seconds: float = 0.0
    scratch: Scratch | None = None

    @property
    def idle(self) -> bool:
        return self.ready and not self.batches and self._stays

    @property
    def takes_another(self) -> bool:
        """Whether it is to be given a batch to follow the one it works on, so that it need not wait for answers."""
        return len(self.batches) == 1 and self.size >= _QUICK and not self.alone and self._stays

    @property
    def _stays(self) -> bool:
        return not (self.retiring or self.leaving) and self.killed_at is None

    def give(self, items: Sequence[Item], *, alone: bool = False) -> None:
        self.heard = time.monotonic()
        self.alone = alone
        self.items.update((item.token, item) for item in items)
        self.batches.append(len(items))
        self.line.send(wire.Order(items=list(items)))

    def batch_ended(self) -> None:
        """Learns from how long the batch took how large the next may be."""
        count = self.batches.popleft()
        self.done += count
        fitting = int(BATCH_S * count / max(self.seconds, 1e-6))
        self.size = max(1, min(MAX_BATCH, 2 * self.size, fitting))
        self.seconds = 0.0
        self.alone = False

    def say_farewell(self) -> None:
        self.leaving = True
        self.line.send(wire.Order())


class Death(NamedTuple):
    """A worker ended; `status` is its exit code, below 0 for a signal, None when the server died and took it along."""

    hand: Hand
    status: int | None


class Crew:
    """Starts workers through a fork server of its own, which is started with the first of them."""

    def __init__(self, setup: Setup, size: int, head_start: HeadStart | None = None) -> None:
        self.setup = setup
        self.size = size
        self.hands: list[Hand] = []
        self.server_deaths = 0
        taken = head_start.take(size) if head_start is not None else None
        self._board = Board(size) if taken is None else taken[0]
        self._ahead = None if taken is None else taken[1]
        self._server: Server | None = None
        self._control: socket.socket | None = None
        self._news = bytearray()
        self._oom_kills = _count_oom_kills()

    @property
    def control(self) -> socket.socket | None:
        """Where news of workers arrive; None while there is no server."""
        return self._control

    def start(self) -> Hand:
        """Starts one more worker; it is not ready yet."""
        if self._control is None:
            self._control = self._launch()
        slot = min(set(range(self.size)) - {hand.slot for hand in self.hands})
        self._board.clear(slot)
        ours, theirs = socket.socketpair()
        hand = Hand(slot, wire.Line(ours), time.monotonic(), scratch=scratch.opened(self.setup.scratch))
        self.hands.append(hand)
        given = [theirs.fileno()] if hand.scratch is None else [theirs.fileno(), hand.scratch.fileno()]
        with theirs, contextlib.suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(self._control, [orders.order(orders.START, slot)], given)
        return hand

    def page(self, hand: Hand) -> Page:
        return self._board.read(hand.slot)

    def last_page(self, hand: Hand) -> Page:
        """The page of a worker that is dead, who leaves it to the next: nobody waits for it any more."""
        page = self._board.read(hand.slot)
        self._board.clear(hand.slot)
        return page

    def kill(self, hand: Hand, *, overdue: bool = False) -> None:
        """Kills a worker; its death is told by `deaths`."""
        if hand.killed_at is not None:
            return
        hand.killed_at, hand.overdue = time.monotonic(), overdue
        if self._control is not None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._control.sendall(orders.order(orders.KILL, hand.slot))

    def halt(self, halt: bool) -> None:
        """Has workers stop before the next step of each file, or go on."""
        self._board.halt(halt)

    def limit(self, limits: Mapping[str, int]) -> None:
        """Has so many workers at most begin with a step, by the names of `Setup.limited`, or with a file (`jobs`)."""
        self._board.limit(turns.numbers(limits, self.setup.limited))

    def drop(self) -> None:
        """Kills the workers that have files in hand; none of those is to blame."""
        for hand in self.hands:
            if hand.items:
                hand.dropped = True
                self.kill(hand)

    def kill_overdue(self, now: float) -> None:
        """Kills workers that outlive the deadline on their page, do not get ready in time, hang up but do not end, or
        have files in hand, work at none and say nothing."""
        limits = self.setup.limits
        for hand in self.hands:
            if hand.line.hung_up:
                deadline = hand.heard + _HANG_UP_S
            elif not hand.ready:
                deadline = hand.began + limits.start_s
            elif hand.items:
                if working_until := self.page(hand).deadline:
                    hand.heard = now  # what it says after long work may be long, too
                deadline = working_until or hand.heard + limits.base_s
            else:
                continue
            if deadline < now:
                self.kill(hand, overdue=True)

    def next_deadline(self) -> float:
        """When the first of the workers that are busy now must be done, on the monotonic clock."""
        deadlines = (self.page(hand).deadline for hand in self.hands if hand.items)
        return min((deadline for deadline in deadlines if deadline > 0), default=float("inf"))

    def deaths(self) -> list[Death]:
        """The workers that have ended since the last call; does not wait. They are no longer among `hands`."""
        if self._control is None:
            return []
        try:
            data = self._control.recv(1 << 16)
        except BlockingIOError:
            return []
        except ConnectionResetError:
            data = b""
        if not data:
            return self._bury_server()
        self._news += data
        ended = {news.slot: news.value for news in orders.parse_news(self._news) if news.what == orders.ENDED}
        dead = [Death(hand, ended[hand.slot]) for hand in self.hands if hand.slot in ended]
        self.hands = [hand for hand in self.hands if hand.slot not in ended]
        return dead

    def ran_out_of_memory(self) -> bool:
        """Whether the system has killed a process for want of memory since it was asked last."""
        before, self._oom_kills = self._oom_kills, _count_oom_kills()
        return self._oom_kills > before

    def dismiss(self, patience_s: float) -> None:
        """Lets workers that have nothing in hand end in order, and waits for that a while."""
        end = time.monotonic() + patience_s
        for hand in self.hands:
            if hand.idle:
                hand.say_farewell()
        while self._control is not None and any(hand.leaving for hand in self.hands):
            poll = select.poll()
            poll.register(self._control, select.POLLIN)
            if not poll.poll(max(0.0, end - time.monotonic()) * 1000):
                return
            for death in self.deaths():
                death.hand.line.close()

    def close(self) -> None:
        """Kills what is left and waits for its end."""
        self._end_server()
        for hand in self.hands:
            hand.line.close()
        self.hands = []
        self._board.close()

    def _launch(self) -> socket.socket:
        """A server that knows its setup: the one that was started ahead, or a new one."""
        server, self._ahead = self._ahead, None
        if server is None:
            server = launch(self._board, byte_code=not self.setup.dry_run)
        self._server = server
        server.tell(self.setup)
        return server.control

    def _bury_server(self) -> list[Death]:
        """The server is dead, and the kernel kills its workers."""
        self.server_deaths += 1
        self._end_server()
        dead = [Death(hand, None) for hand in self.hands]
        self.hands = []
        return dead

    def _end_server(self) -> None:
        self._control = None
        self._news.clear()
        for server in (self._server, self._ahead):
            if server is not None:
                server.end()
        self._server = self._ahead = None


def _count_oom_kills() -> int:
    try:
        with open("/proc/vmstat", encoding="ascii") as vmstat:
            return next((int(line.split()[1]) for line in vmstat if line.startswith("oom_kill ")), 0)
    except OSError:
        return 0
