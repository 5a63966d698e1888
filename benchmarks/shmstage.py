"""Lets all that carry frames play the same case in turns, each in processes of its own."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from engines import newer_python, provide
from measure import CACHE
from shmplayers import tell

HERE = Path(__file__).parent
START_S, RUN_S, END_S = 60.0, 60.0, 20.0
"""How long players may take to come, to do what they are told beyond the time asked for, and to go."""

PYTHUSA = "pythusa==0.1.6"
PYTHUSA_WANTS = "3.12"

SYSTEMS: dict[str, tuple[str, ...]] = {
    "cortex.shm": ("shmours.py",),
    "pythusa tuned": ("shmpythusa.py", "tuned"),
    "pythusa defaults": ("shmpythusa.py", "defaults"),
    "Pipe.send_bytes": ("shmpeers.py", "bytes"),
    "Pipe.send": ("shmpeers.py", "array"),
    "Queue": ("shmpeers.py", "queue"),
    "memcpy": ("shmpeers.py", "copy"),
    "memcpy in and out": ("shmpeers.py", "copies"),
}


def peer_python() -> Path:
    """The Python of an environment in which pythusa is installed, of the version that it asks for if there is one.

    Raises `CalledProcessError` when it does not install.
    """
    folder = CACHE / "engines" / "pythusa"
    if python := newer_python(PYTHUSA_WANTS):
        return provide(folder, (PYTHUSA,), python)
    ours = f"numpy=={version('numpy')}"  # the newest one is not for this Python either
    return provide(folder, (PYTHUSA, ours), None, "--ignore-requires-python")


class Line(NamedTuple):
    """To a player."""

    hello: dict[str, Any]
    socket: socket.socket
    file: TextIO


class Stage:
    """The players of a case, from `with` to its end."""

    def __init__(self, case: str, systems: Sequence[str]) -> None:
        self.case = case
        self.lines: dict[str, list[Line]] = {name: [] for name in systems}
        self._folder = tempfile.TemporaryDirectory()
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Stage:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def python(self, system: str) -> str:
        """The version that its players run on."""
        return str(self.lines[system][0].hello["python"])

    def run(self, system: str, size: str, seconds: float) -> list[dict[str, Any]]:
        """What the players found. Raises `RuntimeError` when one died or took far too long."""
        order = {"size": size, "seconds": seconds, "mark": random.getrandbits(30)}
        try:
            for line in self.lines[system]:
                line.socket.settimeout(seconds + RUN_S)
                tell(line.file, order)
            return [json.loads(line.file.readline()) for line in self.lines[system]]
        except (OSError, ValueError) as error:
            raise RuntimeError(f"{system} failed in {self.case!r} with {size}: {self._last_words(system)}") from error

    def close(self) -> None:
        for lines in self.lines.values():
            for line in lines:
                line.file.close()
                line.socket.close()
        for process in self._started.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(END_S)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._folder.cleanup()

    def _start(self) -> None:
        address = str(Path(self._folder.name) / "line")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(address)
            server.listen(64)
            server.settimeout(0.2)
            for system in self.lines:
                self._started[system] = self._launch(system, address)
            deadline = time.monotonic() + START_S
            while not all(map(self._is_complete, self.lines)):
                self._check_alive(deadline)
                with suppress(TimeoutError):
                    self._welcome(server.accept()[0])
        for lines in self.lines.values():
            lines.sort(key=lambda line: line.hello["role"] in ("sender", "view sender", "ping"))

    def _launch(self, system: str, address: str) -> subprocess.Popen[bytes]:
        script, *arguments = SYSTEMS[system]
        python = peer_python() if script == "shmpythusa.py" else sys.executable
        command = [str(python), str(HERE / script), *arguments, self.case, system, address]
        with self._errors(system).open("wb") as errors:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=errors, start_new_session=True)

    def _welcome(self, sock: socket.socket) -> None:
        sock.settimeout(START_S)
        file = sock.makefile("rw")
        hello = json.loads(file.readline())
        self.lines[hello["system"]].append(Line(hello, sock, file))

    def _is_complete(self, system: str) -> bool:
        lines = self.lines[system]
        return bool(lines) and len(lines) == lines[0].hello["players"]

    def _check_alive(self, deadline: float) -> None:
        for system, process in self._started.items():
            if not self._is_complete(system) and (process.poll() is not None or time.monotonic() > deadline):
                raise RuntimeError(f"{system} did not start for {self.case!r}: {self._last_words(system)}")

    def _errors(self, system: str) -> Path:
        return Path(self._folder.name) / f"{system}.err"

    def _last_words(self, system: str) -> str:
        return self._errors(system).read_text(errors="replace")[-800:]
