"""How runs are measured: wall time, CPU of a whole family of processes, peak memory of its head."""

from __future__ import annotations

import atexit
import ctypes
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

CACHE = Path(os.environ.get("BENCH_CACHE", Path(__file__).parents[1] / ".cache" / "bench"))
"""Where corpora, environments and scratch files are kept."""

_SET_CHILD_SUBREAPER = 36


class Took(NamedTuple):
    """Seconds; `cpu` includes every process that was started below. `peak_mb` is the first process's resident peak."""

    wall: float
    cpu: float
    peak_mb: float
    output: str


def run(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, ok: Sequence[int] = (0,)) -> Took:
    """Runs a command to its end. Raises `RuntimeError` with its last words when its exit code is not `ok`."""
    _adopt_orphans()
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env)
        with _PeakWatch(process.pid) as watch:
            process.wait()
            wall = time.perf_counter() - start
        _reap_orphans()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        out.seek(0)
        err.seek(0)
        output, errors = out.read(), err.read()
    if process.returncode not in ok:
        words = " ".join(map(str, command))
        raise RuntimeError(f"{words} ended with {process.returncode}: {(errors or output)[-600:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(wall, cpu, watch.peak, output)


class _PeakWatch:
    """Looks at a process's memory a hundred times a second."""

    def __init__(self, pid: int) -> None:
        self.peak = 0.0
        self._pid = pid
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> _PeakWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.01):
            self.peak = max(self.peak, _peak_mb(self._pid))


def _adopt_orphans() -> None:
    """Makes processes whose parent ended our children, so that their CPU time is counted (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _reap_orphans() -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.005)
        except ChildProcessError:
            return


def _peak_mb(pid: int) -> float:
    return _status_mb(pid, "VmHWM")


def resident_mb(pid: int) -> float:
    """Memory that a process uses now; 0 when there is no such process."""
    return _status_mb(pid, "VmRSS")


def _status_mb(pid: int, field: str) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = [line.split()[1] for line in text.splitlines() if line.startswith(field)]
    return int(found[0]) / 1024 if found else 0.0


def rounds(count: int, **things: Callable[[], Took]) -> dict[str, list[Took]]:
    """Does everything once per round, so that noise of the machine hits all alike."""
    took: dict[str, list[Took]] = {name: [] for name in things}
    for _ in range(count):
        for name, thing in things.items():
            took[name].append(thing())
    return took


def median(took: Sequence[Took], what: str = "wall") -> float:
    return statistics.median(float(getattr(one, what)) for one in took)


def median_ratio(above: Sequence[Took], below: Sequence[Took], what: str = "wall") -> float:
    """The median of the ratios of each round."""
    return statistics.median(float(getattr(a, what) / getattr(b, what)) for a, b in zip(above, below, strict=True))


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = platform.processor()
    memory = 0
    if sys.platform == "linux":
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), model)
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def fresh(name: str) -> Path:
    """An empty folder below the cache, gone when this program ends and not before: for minutes, ext4 looks at every
    file that was deleted whenever one is made, which would be measured too."""
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=_scratch()))


@cache
def _scratch() -> Path:
    folder = CACHE / "scratch"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
