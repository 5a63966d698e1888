"""Workers and what they offer; and the bus, to which events are only handed on."""

from __future__ import annotations

from collections.abc import Sequence

from loom.graph.specs import OperatorSpec
from loom.model import Event, Progress, RunHead, Worker
from loom.service.base import Holding, now_us
from loom.shapes import WorkerShape
from loom.store import workers


class LocalWorkers(Holding):
    """See `loom.verbs.Workers`."""

    def announce(self, worker: Worker, host: str, operators: Sequence[OperatorSpec]) -> None:
        with self._database.write() as connection:
            workers.announce(connection, worker, host, list(operators), now_us())

    def workers(self) -> list[WorkerShape]:
        with self._database.read() as connection:
            return workers.listed(connection)

    def announced(self) -> list[OperatorSpec]:
        """What all workers together offer, by id."""
        with self._database.read() as connection:
            return workers.announced(connection)


class LocalBus(Holding):
    """See `loom.verbs.Bus`."""

    def publish(self, run: RunHead, events: Sequence[Event]) -> None:
        self._bus.publish(run, events)

    def progress(self, run: RunHead, progress: Progress) -> None:
        self._bus.progress(run, progress)
