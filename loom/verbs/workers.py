"""What workers tell of themselves and of what happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from loom.events import Event, Progress, RunHead
from loom.graph.specs import OperatorSpec
from loom.model import Resources, Worker
from loom.shapes import WorkerShape


class Said(NamedTuple):
    """The name of something that is said: by whom, and a number that grows."""

    by: UUID
    number: int


class Workers(Protocol):
    def announce(
        self, worker: Worker, host: str, operators: Sequence[OperatorSpec], resources: Resources | None = None
    ) -> None:
        """Says what a worker offers; the catalogue of a server is the union of what its workers offer."""
        ...

    def workers(self) -> list[WorkerShape]: ...


class Bus(Protocol):
    def publish(self, run: RunHead, events: Sequence[Event], *, said: Said | None = None) -> None:
        """Numbers the events and hands them to whoever listens. Events that may have to be said again need a name for
        that: what the same `said` names is numbered once."""
        ...

    def progress(self, run: RunHead, progress: Progress) -> None: ...
