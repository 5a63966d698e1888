"""Workers and what they offer; and the bus, to which events are only handed on."""

from __future__ import annotations

from collections.abc import Sequence

from loom.events import Event, Progress, RunHead
from loom.graph.specs import OperatorSpec
from loom.model import Resources, Worker
from loom.service.base import Holding, now_us
from loom.shapes import WorkerShape
from loom.store import workers
from loom.verbs import Said


class LocalWorkers(Holding):
    """See `loom.verbs.Workers`."""

    def announce(
        self, worker: Worker, host: str, operators: Sequence[OperatorSpec], resources: Resources | None = None
    ) -> None:
        with self._database.write() as connection:
            workers.announce(connection, worker, host, list(operators), resources, now_us())

    def workers(self) -> list[WorkerShape]:
        with self._database.read() as connection:
            return workers.listed(connection, now_us())

    def announced(self) -> list[OperatorSpec]:
        """What all workers together offer, by id."""
        with self._database.read() as connection:
            return workers.announced(connection)


class LocalBus(Holding):
    """See `loom.verbs.Bus`."""

    def publish(self, run: RunHead, events: Sequence[Event], *, said: Said | None = None) -> None:
        """In process nothing gets lost on the way, so that it would have to be said again."""
        self._bus.publish(run, events)

    def progress(self, run: RunHead, progress: Progress) -> None:
        self._bus.progress(run, progress)
