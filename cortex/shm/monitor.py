"""What the processes of a pipeline take, and how full its rings are: measured now and then, changing nothing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cortex.shm.ring import Ring
from cortex.shm.supervisor import Hand, State

if TYPE_CHECKING:
    import psutil

log = logging.getLogger("cortex.shm")

_FULL = 90.0
_FULL_FOR_S = 1.0


@dataclass(frozen=True, slots=True)
class ProcessMetrics:
    """A task at a moment. `cpu_percent`: of one core, since the sample before, the first time since its start;
    `memory_rss_mb`: MiB; `nice`: -20 to 19; `ring_pressure`: of each stream that it reads or writes, 0 (nothing to
    read) to 100 (no room); `sampled_at`: seconds of `time.perf_counter`."""

    name: str
    pid: int | None
    cpu_percent: float
    memory_rss_mb: float
    nice: int
    ring_pressure: Mapping[str, float]
    sampled_at: float
    state: State
    restarts: int


@dataclass
class Sampler:
    """Measures tasks. Keeps a handle on each process, since its CPU time counts from the sample before."""

    hands: Mapping[str, Hand]
    rings: Mapping[str, Ring]
    latest: dict[str, ProcessMetrics] = field(default_factory=dict)
    _handles: dict[str, psutil.Process] = field(default_factory=dict)
    _full_since: dict[str, float] = field(default_factory=dict)
    _is_over: bool = False
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def sample(self) -> dict[str, ProcessMetrics]:
        """Now, or the last one when it is over."""
        with self._lock:
            if not self._is_over:
                pressure = {name: ring.stats().pressure for name, ring in self.rings.items()}
                self._warn(pressure)
                self.latest = {name: self._measure(name, hand, pressure) for name, hand in self.hands.items()}
            return dict(self.latest)

    def finish(self) -> None:
        """Takes the last sample, before the rings are given back."""
        with self._lock:
            self.sample()
            self._is_over = True

    def _measure(self, name: str, hand: Hand, pressure: Mapping[str, float]) -> ProcessMetrics:
        streams = [*(place.ring.name for place in hand.job.reads.values()), *(r.name for r in hand.job.writes.values())]
        pid = hand.pid
        cpu, memory, nice = (0.0, 0.0, 0) if pid is None else self._taken(name, pid)
        of_streams = {stream: pressure[stream] for stream in streams}
        return ProcessMetrics(name, pid, cpu, memory, nice, of_streams, time.perf_counter(), hand.state, hand.restarts)

    def _taken(self, name: str, pid: int) -> tuple[float, float, int]:
        import psutil

        with suppress(psutil.Error):
            handle = self._handles.get(name)
            is_new = handle is None or handle.pid != pid
            if handle is None or is_new:
                handle = self._handles[name] = psutil.Process(pid)
            with handle.oneshot():
                cpu = handle.cpu_percent()  # 0 the first time
                if is_new:
                    cpu = 100 * sum(handle.cpu_times()[:2]) / max(time.time() - handle.create_time(), 0.01)
                return cpu, handle.memory_info().rss / 2**20, int(handle.nice() or 0)
        return 0.0, 0.0, 0

    def _warn(self, pressure: Mapping[str, float]) -> None:
        """Once each time that a ring is full for long."""
        now = time.monotonic()
        for name, percent in pressure.items():
            if percent <= _FULL:
                self._full_since.pop(name, None)
            elif (since := self._full_since.setdefault(name, now)) >= 0 and now - since > _FULL_FOR_S:
                self._full_since[name] = -1.0
                log.warning("The ring of the stream %r is full for more than %g s.", name, _FULL_FOR_S)


class Monitor:
    """A thread that calls `look` every so many seconds until it is stopped."""

    def __init__(self, look: Callable[[], object], interval_s: float) -> None:
        self.interval_s = interval_s
        self._look = look
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monitor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(self.interval_s):
            self._look()
