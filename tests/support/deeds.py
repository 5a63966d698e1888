"""A walker whose files do what their names say: `name.DEED@PLACE`, the place being a step's index, `read` or `image`.

Also makers of walkers that do not get ready.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cortex.engine.board import BoardSlot
from cortex.engine.records import Answer, Computed, Identity, Item, Setup, Walked
from loom.errors import LoomError
from loom.model import Kind, Origin, Outcome, State


def prepare() -> None:
    """For `Setup.preload`: tells that it was called."""
    Path(os.environ["DEEDS_PREPARED"]).touch()


def _loop() -> None:
    while True:
        pass


def _exhaust() -> None:
    try:
        bytearray(4 << 30)
    except MemoryError:
        raise LoomError("MEMORY_EXCEEDED") from None


def _recurse() -> None:
    _recurse()


def _overflow_stack() -> None:
    """Recursion that Python does not stop, in a thread with little room for it: each level goes through C."""
    sys.setrecursionlimit(10**9)
    threading.stack_size(256 * 1024)
    deep: list[object] = []
    for _ in range(20_000):
        deep = [deep]
    thread = threading.Thread(target=repr, args=(deep,))
    thread.start()
    thread.join()


def _progress(board: BoardSlot) -> None:
    for tenth in range(10):
        time.sleep(0.08)
        board.progress(tenth / 10)


def _ponder(board: BoardSlot) -> None:
    """Works for long, and then takes a while to say what came of it."""
    for _ in range(4):
        _progress(board)
    board.rest()
    time.sleep(0.6)


def _mute(board: BoardSlot) -> None:
    board.rest()
    time.sleep(30)


def _babble() -> None:
    for descriptor in range(3, 20):
        with suppress(OSError):
            os.write(descriptor, b"\xff" * 64)
    time.sleep(30)


def _forbidden() -> str:
    """Tries all that a worker may not do; names what it could."""
    able = []
    attempts: dict[str, Callable[[], object]] = {
        "socket": lambda: socket.socket(socket.AF_INET).connect(("127.0.0.1", 9)),
        "unix socket": lambda: socket.socket(socket.AF_UNIX),
        "write": lambda: Path("/tmp/cortex-forbidden").write_bytes(b""),
        "mkdir": lambda: os.mkdir("/tmp/cortex-forbidden"),
        "chmod": lambda: os.chmod(__file__, 0o600),
        "utime": lambda: os.utime(__file__),
        "xattr": lambda: os.setxattr(__file__, "user.x", b""),
        "rename": lambda: os.rename(__file__, __file__ + "x"),
        "exec": lambda: os.execv("/bin/true", ["true"]),
        "run": lambda: subprocess.run(["/bin/true"], check=False),
        "fork": lambda: os.fork() or os._exit(0),
        "kill": lambda: os.kill(os.getppid(), 0),
        "memfd": lambda: os.memfd_create("x"),
    }
    for name, attempt in attempts.items():
        try:
            attempt()
        except OSError:
            continue
        able.append(name)
    return ", ".join(able)


_DEEDS: dict[str, Callable[[], object]] = {
    "segv": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "exit": lambda: os._exit(0),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "loop": _loop,
    "alarm": lambda: os.kill(os.getpid(), signal.SIGALRM),
    "memory": _exhaust,
    "recurse": _recurse,
    "stack": _overflow_stack,
    "raise": lambda: 1 // 0,
    "sysexit": lambda: sys.exit(3),
    "babble": _babble,
    "slow": lambda: time.sleep(0.3),
    "wait": lambda: time.sleep(30),
    "log": lambda: logging.getLogger("cortex.node.deed").warning("heard you"),
}


class Deeds:
    """Walks `STEPS` steps; `Item.relative` may hold another number."""

    STEPS = 1

    def __init__(self, setup: Setup, board: BoardSlot) -> None:
        self.board = board
        self.limit = setup.limits.base_s
        self.places: dict[int, tuple[str, str]] = {}

    def identify(self, item: Item) -> Identity | Walked:
        name = os.fsdecode(os.path.basename(item.path))
        deed, _, place = name.rpartition(".")[2].partition("@")
        self.places[item.token] = deed, place
        self.board.enter(item.token, -1, -1, "read", self.limit)
        if place == "read":
            self._do(deed)
        self.board.leave()
        return Identity(item.token, hashlib.sha256(item.path).digest(), 1, "text/plain", Kind.TEXT, 0)

    def walk(self, item: Item, answer: Answer) -> Walked:
        deed, place = self.places.pop(item.token)
        outcomes, computed = [], []
        for step in range(int(item.relative or self.STEPS)):
            error = next(((b.code, b.message) for b in item.blamed if b.step == step), None)
            if error is None:
                self.board.enter(item.token, 0, step, "", self.limit)
                error = self._step(item, step, deed, place)
                self.board.leave()
            outcomes.append(Outcome(State.FAILED if error else State.COMPLETED, None, Origin.COMPUTED))
            if error:
                computed.append(Computed(step, None, b"{}", (), *error, 0, 0, False))
        if place == "after":
            self._do(deed)
        identity = Identity(item.token, b"", 1, "text/plain", Kind.TEXT, 0)
        return Walked(item.token, identity, item.stat, True, tuple(outcomes), tuple(computed), next_step=len(outcomes))

    def _step(self, item: Item, step: int, deed: str, place: str) -> tuple[str, str] | None:
        try:
            if place == "image":
                blame = next(((b.code, b.message) for b in item.blamed if b.phase == "image"), None)
                if blame is not None:
                    return blame
                self.board.phase("image")
                self._do(deed)
            elif place == str(step):
                self._do(deed)
        except LoomError as error:
            return error.code, error.message
        except Exception as error:
            return "OPERATOR_FAILED", type(error).__name__
        return None

    def _do(self, deed: str) -> None:
        if deed == "progress":
            _progress(self.board)
        elif deed == "ponder":
            _ponder(self.board)
        elif deed == "mute":
            _mute(self.board)
        elif deed == "leak":
            self.leaked = bytearray(200 << 20)
        elif deed == "forbidden":
            raise LoomError("OPERATOR_FAILED", f"could: {_forbidden()}")
        else:
            _DEEDS[deed]()

    def discard(self, item: Item) -> None:
        self.places.pop(item.token)

    def close(self) -> None:
        pass


class Unready:
    """Its operator cannot be opened."""

    def __init__(self, setup: Setup, board: BoardSlot) -> None:
        raise LoomError("REQUIREMENT_MISSING", "the model is not there")


class Stillborn:
    """Takes the worker with it before it is ready."""

    def __init__(self, setup: Setup, board: BoardSlot) -> None:
        os.abort()


class Sleeper:
    """Does not get ready in time."""

    def __init__(self, setup: Setup, board: BoardSlot) -> None:
        time.sleep(60)
