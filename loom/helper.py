"""A worker beside a served Loom: a process of its own, started anew when it dies.

Which program that is, the entry-point group `loom.workers` of this environment says: each entry names a module that
`python -m` runs, with `worker --with-parent --loom URL`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from importlib.metadata import entry_points
from types import TracebackType
from typing import Self

from loom.ending import say
from loom.errors import LoomError

GROUP = "loom.workers"
_AGAIN_S = (1.0, 5.0, 30.0)
"""How long it waits before it starts a worker anew that died: the first time, the second, and every time after."""

_LASTS_S = 60.0
"""A worker that lived so long is not one that dies at once."""

_GRACE_S = 30.0


def worker_module() -> str:
    """The module of the first worker that is installed. Raises `EXTRA_MISSING`."""
    entries = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    if not entries:
        raise LoomError("EXTRA_MISSING", "no worker is installed beside this Loom: pip install loom-cortex")
    return entries[0].value


class Helper:
    """Keeps one worker process running while the context is open. The token reaches it by its environment."""

    def __init__(self, url: str, token: str) -> None:
        self._command = [sys.executable, "-m", worker_module(), "worker", "--with-parent", "--loom", url]
        self._environment = {**os.environ, "LOOM_TOKEN": token}
        self._end = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Lets the nodes in hand finish; what is not done goes to the next worker."""
        self._end.set()
        process = self._process
        if process is not None:
            process.terminate()
        self._thread.join(_GRACE_S)
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()

    def _run(self) -> None:
        deaths = 0
        while not self._end.is_set():
            # a group of its own: Ctrl-C is for the server, which ends its worker in order
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdin=subprocess.DEVNULL, process_group=0
            )
            began = time.monotonic()
            code = self._process.wait()
            deaths = 1 if time.monotonic() - began > _LASTS_S else deaths + 1
            if self._end.is_set():
                return
            pause = _AGAIN_S[min(deaths, len(_AGAIN_S)) - 1]
            say(f"the worker ended with {code}; another one starts in {pause:g} s")
            self._end.wait(pause)
