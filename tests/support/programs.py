"""The programs of the product as processes: called and waited for, started and stopped in the middle, served."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

LONG_AGO = 1_700_000_000
CORTEX = (sys.executable, "-m", "cortex")
LOOM = (sys.executable, "-m", "loom")
WAIT_S = 60

_KEPT = (
    "SELECT hex(a.blake3), a.size, a.kind, a.mime FROM assets a ORDER BY 1",
    "SELECT hex(a.blake3), hex(s.digest), r.state, r.verdict, r.error_code,"
    " CASE WHEN json_valid(r.outputs) THEN json(r.outputs) END"
    " FROM results r JOIN assets a ON a.id = r.asset JOIN signatures s ON s.id = r.signature ORDER BY 1, 2",
    "SELECT d.path, l.name, hex(a.blake3), l.size, l.mtime_ns, l.state FROM locations l"
    " JOIN directories d ON d.id = l.directory JOIN assets a ON a.id = l.asset ORDER BY 1, 2",
    "SELECT hex(digest), media_type, size FROM artifacts ORDER BY 1",
)


class Done(NamedTuple):
    """An ended program. `lines` are the JSON lines of its output."""

    code: int
    lines: list[dict[str, Any]]
    out: str
    err: str

    @classmethod
    def of_output(cls, code: int, out: str, err: str) -> Done:
        lines = [json.loads(line) for line in out.splitlines() if line.startswith('{"message_type"')]
        return cls(code, lines, out, err)

    @property
    def summary(self) -> dict[str, Any]:
        assert self.lines, self.err
        assert self.lines[-1]["message_type"] == "summary", self.lines[-1]
        return self.lines[-1]

    @property
    def error(self) -> dict[str, Any]:
        """The last one, which a summary still follows."""
        assert self.summary
        return self.of("error")[-1]

    def of(self, message_type: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["message_type"] == message_type]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Variables under which all that the programs keep lies below `folder`."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
    own = {"LOOM_DATA_DIR": str(folder / "data"), "CORTEX_META_PATH": str(folder / "meta"), "CORTEX_JOBS": "2"}
    return {**kept, "HOME": str(home), **own, **more}


class Running:
    """A program in a session of its own, its output in files of `folder` unless `options` say otherwise."""

    def __init__(
        self, command: tuple[str, ...], *arguments: object, env: Mapping[str, str], folder: Path, **options: Any
    ) -> None:
        self._out, self._err = (folder / f"{name}-{time.monotonic_ns()}" for name in ("out", "err"))
        with self._out.open("wb") as out, self._err.open("wb") as err:
            streams = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err}
            self.process = subprocess.Popen(
                [*command, *map(str, arguments)], env=dict(env), cwd=folder, start_new_session=True, **streams | options
            )

    @property
    def out(self) -> str:
        return self._out.read_text("utf-8", "replace")

    @property
    def err(self) -> str:
        return self._err.read_text("utf-8", "replace")

    def signal(self, number: int, *, group: bool = False) -> None:
        (os.killpg if group else os.kill)(self.process.pid, number)

    def wait(self, seconds: float = WAIT_S) -> Done:
        return Done.of_output(self.process.wait(seconds), self.out, self.err)

    def kill(self) -> None:
        """Ends the whole session at once."""
        for pid in [self.process.pid, *session_of(self.process.pid)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait(WAIT_S)

    def leaves_nobody(self) -> None:
        """Fails unless all processes of the session end soon."""
        until(lambda: not session_of(self.process.pid), 5)


class Server:
    """`loom serve` at a port of its own."""

    def __init__(self, env: Mapping[str, str], folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.data = folder / "server"
        self._folder = folder
        self._env = {**env, "LOOM_DATA_DIR": str(self.data)}
        self._running: Running | None = None

    def start(self) -> None:
        running = Running(LOOM, "serve", "--port", self.port, env=self._env, folder=self._folder)
        self._running = running
        until(lambda: self.url in running.err or running.process.poll() is not None)
        assert self.url in running.err, running.err

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self._running is not None
        self._running.signal(number)
        code = self._running.wait(20).code
        self._running = None
        return code

    @property
    def running(self) -> bool:
        return self._running is not None

    @property
    def link(self) -> str:
        """What a person opens to be signed in, once."""
        assert self._running is not None
        running = self._running
        until(lambda: "#code=" in running.err)
        return next(word for word in running.err.split() if "#code=" in word)

    @property
    def token(self) -> str:
        return (self.data / "token").read_text().strip()

    def get(self, path: str) -> Any:
        return self.get_root(f"/api/v1{path}")

    def get_root(self, path: str) -> Any:
        request = urllib.request.Request(f"{self.url}{path}", headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


def until(condition: Callable[[], object], seconds: float = WAIT_S) -> None:
    """Waits for a condition; fails when it has not come after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def session_of(leader: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def tables(data: Path) -> list[list[Any]]:
    """All that a data folder keeps of files, without what differs from run to run."""
    return [query(data, statement) for statement in _KEPT]


def query(data: Path, statement: str) -> list[Any]:
    """The rows of a statement in the database of a data folder."""
    database = sqlite3.connect(data / "loom.db")
    try:
        return database.execute(statement).fetchall()
    finally:
        database.close()


def age(folder: Path) -> None:
    """Files that were written just now are read again next time; these are old."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            os.utime(path, (LONG_AGO, LONG_AGO))
