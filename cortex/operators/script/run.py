"""Runs programs that users gave, each watched by a keeper (see `keeper`) from its start to its end."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from loom.errors import LoomError

_KEEPER = str(Path(__file__).with_name("keeper.py"))
_TAIL = 8192
_FAREWELL_S = 10.0


class Limits(NamedTuple):
    """`seconds` for all of it; `memory` of each process, `file_size` of each file and `output` on stdout in bytes."""

    seconds: float
    memory: int
    file_size: int
    output: int
    niceness: int
    network: bool


class Ended(NamedTuple):
    """How it ended: `how` is `exit`, `signal`, or `error` (it could not be started), `code` the number of it. `said` is
    its stdout, `complaint` the end of its stderr."""

    how: str
    code: int
    said: bytes
    complaint: str


class Programs:
    """The programs of one node. Safe for threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: set[_Watch] = set()
        self._halted = self._closed = False

    def run(
        self,
        command: Sequence[str],
        folder: str,
        given: bytes,
        environment: Mapping[str, str],
        limits: Limits,
        renew: Callable[[], None] = lambda: None,
    ) -> Ended:
        """Runs a command, whose first part is a path, in a folder, with `given` on its stdin. While the node is halted
        it waits; a program that was dropped by a halt is begun anew. `renew` is called where time was lost by that.
        Raises `TIMED_OUT`, `OUTPUT_INVALID` for too much on stdout, and `TRY_AGAIN` when the node was closed."""
        stood_still = False
        while True:
            with self._changed:
                stood_still |= self._halted
                self._changed.wait_for(lambda: self._closed or not self._halted)
                if self._closed:
                    raise LoomError("TRY_AGAIN", "the run ended before the program did")
                if stood_still:
                    renew()
                Path(folder).mkdir(mode=0o700, exist_ok=True)  # that of a dropped program is removed
                watch = _Watch(command, folder, given, environment, limits)
                self._running.add(watch)
            try:
                ended = watch.attend()
            finally:
                with self._changed:
                    self._running.discard(watch)
            if ended is not None:
                return ended
            stood_still = True

    def halt(self, halted: bool) -> None:
        """Drops what is at work, and begins nothing until it is told that it may."""
        with self._changed:
            self._halted = halted
            if halted:
                self._drop_all()
            self._changed.notify_all()

    def close(self) -> None:
        """Drops what is at work, for good."""
        with self._changed:
            self._closed = True
            self._drop_all()
            self._changed.notify_all()

    def _drop_all(self) -> None:
        for watch in self._running:
            watch.drop()


class _Watch:
    """One program at work. What it is given and what it says are files without a name: none is left behind, and a
    program that does not read, or never stops talking, holds up nobody."""

    def __init__(
        self, command: Sequence[str], folder: str, given: bytes, environment: Mapping[str, str], limits: Limits
    ) -> None:
        self._limits = limits
        self._dropped = False
        self._line, theirs = socket.socketpair()
        self._files = contextlib.ExitStack()
        stdin, self._stdout, self._stderr = (self._files.enter_context(_nameless()) for _ in range(3))
        stdin.write(given)
        stdin.seek(0)
        orders = {"command": list(command), "folder": folder, **limits._asdict()}
        with theirs:
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", _KEEPER, json.dumps(orders), str(theirs.fileno())],
                stdin=stdin,
                stdout=self._stdout,
                stderr=self._stderr,
                env=dict(environment),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def drop(self) -> None:
        """Has the program killed; `attend` returns."""
        self._dropped = True
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)

    def attend(self) -> Ended | None:
        """How it ended; None when it was dropped. Raises `TIMED_OUT` and `OUTPUT_INVALID`."""
        with self._files:
            try:
                word = self._told()
            finally:
                self._line.close()
                self._see_off()
            if self._dropped:
                return None
            if not word:
                raise LoomError("OPERATOR_FAILED", "what keeps the program was killed")
            how, number = word.split()
            said = _read(self._stdout, 0, self._limits.output + 1)
            if len(said) > self._limits.output:
                raise LoomError("OUTPUT_INVALID", f"the program said more than {self._limits.output:,} bytes")
            complaint = _read(self._stderr, -_TAIL, _TAIL)
            return Ended(how, int(number), said, complaint.decode("utf-8", "replace"))

    def _told(self) -> str:
        self._line.settimeout(self._limits.seconds)
        try:
            return self._line.recv(64).decode()
        except TimeoutError as error:
            raise LoomError(
                "TIMED_OUT", f"the program took longer than the {self._limits.seconds:.3g} s it may"
            ) from error

    def _see_off(self) -> None:
        try:
            self._keeper.wait(_FAREWELL_S)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()


def _nameless() -> IO[bytes]:
    return tempfile.TemporaryFile()


def _read(file: IO[bytes], start: int, count: int) -> bytes:
    """From `start` on, which counts from the end if it is negative."""
    size = file.seek(0, 2)
    file.seek(max(size + start, 0) if start < 0 else start)
    return file.read(count)
