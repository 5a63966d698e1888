"""The process that worker processes are forked from.

It imports what workers need once and forks a worker in milliseconds, sharing that memory. It has no threads, opens no
untrusted file, reaps its workers and tells the parent how they ended. It never imports the parent's main module, so a
script without a main guard may ingest too. It ends, and its workers with it, when its parent does.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import selectors
import signal
import socket
import struct
import sys
from typing import Any

from cortex.engine import child, confine, orders, signals
from cortex.engine.garbage import look_rarely, look_seldom
from cortex.engine.records import Setup
from loom.parts import Descriptor

_LOOK_FOR_PARENT_S = 1.0


def main(control_fd: int, board_fd: int, parent: int, *, early: bool = False) -> None:
    """Entry point of the process. The setup comes first, pickled, after its length; `early`: it may take a while, and
    what every setup needs is imported meanwhile."""
    signals.leave_to_parent()
    look_seldom()
    if early:
        preload(Setup(()))
    with socket.socket(fileno=control_fd) as control:
        with control.makefile("rb", buffering=0) as incoming:
            (size,) = struct.unpack("=Q", _read(incoming, 8))
            setup: Setup = pickle.loads(_read(incoming, size))  # noqa: S301 - from our own parent
        preload(setup)
        look_rarely()
        _Server(control, board_fd, setup, parent).run()
    os._exit(0)


def preload(setup: Setup) -> None:
    """Imports what workers will need. What fails here fails again in the worker, which can say so."""
    for name in setup.preload:
        with contextlib.suppress(Exception):
            child.find(name)()
    with contextlib.suppress(Exception):
        child.find(setup.walker)
    from cortex import catalogue

    operators = catalogue.load()
    for operator in {step.operator for lane in setup.lanes for step in lane.plan.steps if step.sandboxed}:
        operators.spec(operator)


class _Server:
    def __init__(self, control: socket.socket, board_fd: int, setup: Setup, parent: int) -> None:
        self._control = control
        self._board_fd = board_fd
        self._setup = setup
        self._parent = parent
        self._workers: dict[int, int] = {}
        self._selector = selectors.DefaultSelector()
        self._wake_r, self._wake_w = os.pipe()
        os.set_blocking(self._wake_r, False)
        os.set_blocking(self._wake_w, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_w)

    def run(self) -> None:
        try:
            self._selector.register(self._control, selectors.EVENT_READ)
            self._selector.register(self._wake_r, selectors.EVENT_READ)
            while os.getppid() == self._parent:
                ready = {key.fileobj for key, _ in self._selector.select(_LOOK_FOR_PARENT_S)}
                if self._wake_r in ready:
                    os.read(self._wake_r, 4096)
                self._reap(os.WNOHANG)
                if self._control in ready and not self._obey():
                    return
        except (BrokenPipeError, ConnectionResetError):
            return
        finally:
            for pid in self._workers:
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(OSError):
                self._reap(0)

    def _obey(self) -> bool:
        """Carries out one order; False when the parent has hung up."""
        data, fds, _, _ = socket.recv_fds(self._control, orders.ORDER.size, 2)
        if not data:
            return False
        while len(data) < orders.ORDER.size:
            data += self._control.recv(orders.ORDER.size - len(data))
        what, slot = orders.ORDER.unpack(data)
        if what == orders.START:
            self._start(slot, *fds)
        else:
            for pid, at in self._workers.items():
                if at == slot:
                    os.kill(pid, signal.SIGKILL)
        return True

    def _start(self, slot: int, line: int, scratch: int | None = None) -> None:
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_worker(slot, line, scratch, server)
        os.close(line)
        if scratch is not None:
            os.close(scratch)
        self._workers[pid] = slot
        self._control.sendall(orders.NEWS.pack(orders.STARTED, slot, pid))

    def _become_worker(self, slot: int, line: int, scratch: int | None, server: int) -> None:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            confine.end_with(server)
            self._selector.close()
            for fd in (self._control.detach(), self._wake_r, self._wake_w):
                os.close(fd)
            # closed by the kernel, so that the parent learns of the end of the line and of the process together
            file = None if scratch is None else Descriptor(scratch)
            child.run(socket.socket(fileno=line), self._board_fd, slot, self._setup, file)
            status = 0
        except SystemExit as error:
            status = _exit_status(error.code)
        finally:
            os._exit(status)

    def _reap(self, options: int) -> None:
        while self._workers:
            pid, status = os.waitpid(-1, options)
            if pid == 0:
                return
            slot = self._workers.pop(pid, None)
            if slot is not None:
                self._control.sendall(orders.NEWS.pack(orders.ENDED, slot, os.waitstatus_to_exitcode(status)))


def _exit_status(code: Any) -> int:
    if code is None:
        return 0
    return code & 0xFF if isinstance(code, int) else 1


def _read(incoming: Any, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = incoming.read(size - len(data))
        if not piece:
            sys.exit(1)
        data += piece
    return data
