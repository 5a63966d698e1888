"""Starts the process that workers are forked from; also ahead of time, while nobody knows yet what they are to do."""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Self

from cortex.engine import signals
from cortex.engine.board import Board

if TYPE_CHECKING:
    from cortex.engine.records import Setup

_SECRETS = ("LOOM_TOKEN", "LOOM_DATABASE_URL")
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_END_S = 5.0


class Server:
    """A fork server: its process, and the line to it."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket) -> None:
        self.process = process
        self.control = control
        self._is_told = False

    def tell(self, setup: Setup) -> None:
        """Says what its workers are to be made of; only the first time."""
        if self._is_told:
            return
        self._is_told = True
        told = pickle.dumps(setup)
        self.control.settimeout(setup.limits.start_s)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.control.sendall(struct.pack("=Q", len(told)) + told)
        self.control.setblocking(False)

    def end(self) -> None:
        """Hangs up, upon which it ends with its workers, and waits for that."""
        self.control.close()
        try:
            self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def launch(board: Board, *, byte_code: bool, early: bool = False) -> Server:
    """Starts a fork server, which waits for its setup; `early`: it imports what all workers need before that."""
    ours, theirs = socket.socketpair()
    with theirs:
        command = (
            f"import sys; sys.path[:] = {sys.path!r}; from cortex.engine.forkserver import main; "
            f"main({theirs.fileno()}, {board.fd}, {os.getpid()}, early={early})"
        )
        flags = [] if byte_code and not sys.dont_write_bytecode else ["-B"]
        with signals.held_back():
            process = subprocess.Popen(
                [sys.executable, *flags, "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), board.fd),
                env=_environment(),
            )
    return Server(process, ours)


class HeadStart:
    """A fork server that was started before there was anything to do, for up to `slots` workers. Whoever needs it
    takes it; if nobody has when the context is left, it is ended."""

    def __init__(self, slots: int, *, byte_code: bool) -> None:
        self._slots = slots
        self._board: Board | None = Board(slots)
        self._server = launch(self._board, byte_code=byte_code, early=True)

    def tell(self, setup: Setup) -> None:
        """What the workers will be made of, as soon as it is known: they need not wait for the first file."""
        if self._board is not None:
            self._server.tell(setup)

    def take(self, slots: int) -> tuple[Board, Server] | None:
        """The server and its board, once, if they are enough for so many workers."""
        board = self._board
        if board is None or slots > self._slots:
            return None
        self._board = None
        return board, self._server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._board is not None:
            self._server.end()
            self._board.close()
            self._board = None


def _environment() -> dict[str, str]:
    """One thread for each library in each of many processes; no secrets where untrusted files are opened."""
    kept = {name: value for name, value in os.environ.items() if name not in _SECRETS}
    return kept | dict.fromkeys(_ONE_THREAD, "1") | {"OPENCV_OPENCL_RUNTIME": "disabled"}
