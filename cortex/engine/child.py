"""The loop of a worker process: reads files, asks what to do with them, walks them, tells what came of it."""

from __future__ import annotations

import importlib
import logging
import os
import socket
import threading
import time
from collections import deque
from typing import Any, Protocol

from cortex.engine import board, confine, wire
from cortex.engine.failures import as_failure, sendable
from cortex.engine.records import Answer, Identity, Item, Setup, Walked, unread
from cortex.engine.turns import Turns
from cortex.media import spill
from loom.parts import Descriptor

LATE_S = 0.1
"""How long a result may wait for others before it is sent."""

_ENOUGH = 1 << 20


class Walker(Protocol):
    """What does the work; `Setup.walker` names a class that is made with the setup and the worker's page."""

    def identify(self, item: Item) -> Identity | Walked: ...

    def walk(self, item: Item, answer: Answer) -> Walked: ...

    def discard(self, item: Item) -> None: ...

    def close(self) -> None: ...


def find(name: str) -> Any:
    """What `module:name` stands for. Raises `ImportError` or `AttributeError`."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def run(line: socket.socket, board_fd: int, slot: int, setup: Setup, scratch: Descriptor | None = None) -> None:
    """Turns this freshly forked process into a worker; returns when the parent has no more for it. `scratch` is the
    one file that it may write to."""
    _be_silent()
    try:
        worker = _become_worker(line, board_fd, slot, setup, scratch)
    except BaseException as error:  # also what an operator calls to end its process
        wire.send(line, wire.Report(error=as_failure(error)))
    else:
        worker.run()


def _become_worker(line: socket.socket, board_fd: int, slot: int, setup: Setup, scratch: Descriptor | None) -> Worker:
    limits = setup.limits
    page = board.BoardSlot(board_fd, slot, base_s=limits.base_s, cpus=limits.cpus)
    outbox = Outbox(line, page)
    logging.root.handlers[:] = [_LogHandler(outbox, page, setup.log_level)]
    logging.root.setLevel(logging.WARNING)
    logging.getLogger("cortex").setLevel(setup.log_level)
    writable = scratch if confine.refuse_calls() else None  # where the kernel refuses to open any other for writing
    confine.limit_resources(limits, 0 if writable is None else limits.scratch)
    spill.use(spill.Scratch(writable, limits.in_memory))
    walker: Walker = find(setup.walker)(setup, page)
    confine.limit_memory(limits)
    return Worker(line, page, outbox, walker, Turns(page, setup.limited))


class Outbox:
    """Results on their way to the parent: in groups, but none later than `LATE_S`. A thread sends what is due while
    the worker is busy with the next file."""

    def __init__(self, line: socket.socket, page: board.BoardSlot) -> None:
        self._line = line
        self._page = page
        self._walked: deque[Walked] = deque()
        self._logs: deque[wire.Log] = deque()
        self._bytes = 0
        self._sending = threading.Lock()
        self._due = threading.Event()

    def watch(self) -> None:
        """Runs in a thread of its own."""
        while True:
            self._due.wait()
            time.sleep(LATE_S)
            self._due.clear()
            if self._walked or self._logs:
                self._send([])

    def add(self, walked: Walked) -> None:
        """A result; waits when the parent is slow to take those before it."""
        self._walked.append(walked)
        for computed in walked.computed:
            for artifact in computed.artifacts:
                self._bytes += len(artifact.data)
        if self._bytes > _ENOUGH:
            self.send([], ended=False)
        elif not self._due.is_set():
            self._due.set()

    def log(self, record: wire.Log) -> None:
        self._logs.append(record)
        self._due.set()

    def send(self, asked: list[Identity], *, ended: bool, seconds: float = 0.0, grown: int = 0) -> None:
        """Sends everything now, and waits until the parent takes it."""
        self._page.rest()
        self._bytes = 0
        self._send(asked, ended, seconds, grown)

    def _send(self, asked: list[Identity], ended: bool = False, seconds: float = 0.0, grown: int = 0) -> None:
        with self._sending:
            walked = [self._walked.popleft() for _ in range(len(self._walked))]
            logs = [self._logs.popleft() for _ in range(len(self._logs))]
            wire.send(self._line, wire.Report(walked, asked, logs, ended, seconds, grown))


class Worker:
    """Carries out orders in the order in which they come: files are read and asked about, answers are followed."""

    def __init__(
        self, line: socket.socket, page: board.BoardSlot, outbox: Outbox, walker: Walker, turns: Turns
    ) -> None:
        self._orders = wire.Orders(line)
        self._page = page
        self._outbox = outbox
        self._walker = walker
        self._turns = turns
        self._held: dict[int, Item] = {}
        self._start_bytes = confine.data_bytes()

    def run(self) -> None:
        threading.Thread(target=self._outbox.watch, name="outbox", daemon=True).start()
        try:
            self._outbox.send([], ended=True)
            while True:
                order = self._orders.receive()
                if order.items:
                    self._read(order.items)
                elif order.answers:
                    self._walk(order.answers)
                else:
                    self._walker.close()
                    return
        except (EOFError, ConnectionError):
            return

    def _read(self, items: list[Item]) -> None:
        began = time.monotonic()
        asked: list[Identity] = []
        for item in items:
            self._turns.take_file(item.token, board.READING)
            seen = self._identify(item)
            if isinstance(seen, Walked):
                self._outbox.add(seen)
            else:
                self._held[item.token] = item
                asked.append(seen)
        self._outbox.send(asked, ended=not asked, seconds=time.monotonic() - began)

    def _walk(self, answers: list[Answer]) -> None:
        began = time.monotonic()
        for answer in answers:
            item = self._held.pop(answer.token)
            self._turns.take_file(item.token, board.WALKING)
            if answer.walk:
                self._outbox.add(self._walk_one(item, answer))
            else:
                self._walker.discard(item)
        self._page.rest()
        grown = confine.data_bytes() - self._start_bytes
        self._outbox.send([], ended=True, seconds=time.monotonic() - began, grown=grown)

    def _identify(self, item: Item) -> Identity | Walked:
        try:
            return self._walker.identify(item)
        except Exception as error:
            return unread(item.token, *as_failure(error))

    def _walk_one(self, item: Item, answer: Answer) -> Walked:
        try:
            return self._walker.walk(item, answer)
        except Exception as error:
            return unread(item.token, *as_failure(error))


class _LogHandler(logging.Handler):
    """Sends log records to the parent, which knows where they go."""

    def __init__(self, outbox: Outbox, page: board.BoardSlot, level: int) -> None:
        super().__init__(level)
        self._outbox = outbox
        self._page = page

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception as error:
            text = f"{record.msg} ({as_failure(error)[1]})"
        self._outbox.log(wire.Log(self._page.token, sendable(record.name), record.levelno, sendable(text)))


def _be_silent() -> None:
    """What libraries write to the terminal about damaged files would disturb the display."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.close(nothing)
