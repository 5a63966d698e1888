"""Who watches a running pipeline: its monitor, other programs of this machine, Looms."""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import TIMEOUT_MAX
from typing import TYPE_CHECKING
from uuid import UUID

from cortex.shm.account import account_of
from cortex.shm.live import Live
from cortex.shm.monitor import Monitor, ProcessMetrics
from cortex.shm.telling import Listener, Teller
from cortex.shm.window import Window

if TYPE_CHECKING:
    from loom.processes import ProcessPipeline


class Onlookers:
    """Of the pipeline `live`, whose run bears the number `run`."""

    def __init__(self, live: Live, run: UUID) -> None:
        self._live = live
        self._run = run
        self._started_us = 0
        self._window: Window | None = None
        self._monitor: Monitor | None = None
        self._interval_s: float | None = None
        self._listeners: list[Listener] = []
        self._tellers: list[Teller] = []

    def start(self) -> None:
        """Once the pipeline has been started."""
        self._started_us = time.time_ns() // 1000
        self._window = Window(self._run.hex, self.account)
        self._tellers = [Teller(self.account, listener) for listener in self._listeners]
        if self._interval_s is not None:
            self.measure_every(self._interval_s)

    def close(self) -> None:
        """Once all processes have ended: Looms are told how."""
        if self._window is not None:
            self._window.close()
        for teller in self._tellers:
            teller.close()
        if self._monitor is not None:
            self._monitor.stop()
        self._live.sampler.finish()

    def tell(self, listener: Listener) -> None:
        self._listeners.append(listener)
        if self._window is not None:
            self._tellers.append(Teller(self.account, listener))

    def measure_every(self, interval_s: float) -> None:
        """From the start on. Raises `ValueError`."""
        if not 0 < interval_s <= TIMEOUT_MAX:
            raise ValueError(f"The interval of the monitor must be a number of seconds above 0, not {interval_s}.")
        self._interval_s = interval_s
        if self._window is not None:
            if self._monitor is not None:
                self._monitor.stop()
            self._monitor = Monitor(self._live.sampler.sample, interval_s)

    def metrics(self) -> Mapping[str, ProcessMetrics]:
        """The newest sample of every task that has a process; where no monitor has taken one it is taken now."""
        sampler = self._live.sampler
        return sampler.latest if self._monitor is not None and sampler.latest else sampler.sample()

    def account(self) -> ProcessPipeline:
        """How the pipeline stands."""
        return account_of(self._live, self._run, self._started_us, self.metrics())
