"""How runs are asked for, handed to workers and steered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from loom.errors import LoomError
from loom.shapes import ForecastShape, KindCost, RunShape
from loom.steering import AssetQuery, Pause, RunOrders, RunRequest, Selection


class Steering(Protocol):
    """Runs asked for, handed to workers and steered. A worker that claims goes by a name that no other process has,
    and says it as `Worker.name` in `open_run`, and as `worker` in `report` and `finish_run`. What a run of no row is
    told (one that a caller executes itself, a dry run of its own) is only the limits. Pauses, resumes, new and
    cancelled runs are told on the bus."""

    def request_run(self, request: RunRequest) -> RunShape:
        """Queues a run; `version` 0 is the current one, `queued` is Loom's to say. Raises `NOT_FOUND`,
        `PIPELINE_DISABLED`, `USAGE` when there is nothing to run over, `REQUEST_INVALID` for a relative path and for
        nodes to recompute that the pipeline has not."""
        ...

    def claim_run(self, worker: str, host: str) -> RunRequest | None:
        """The oldest run that waits for a worker on this host, or whose worker was not heard of for `LEASE_S`; it is
        this worker's for as long. Runs that are paused or cancelled are not handed out."""
        ...

    def orders(self, worker: str, runs: Sequence[UUID]) -> list[RunOrders]:
        """What becomes of each of these runs, in the order asked; the worker keeps those that it has claimed for
        another `LEASE_S`. Also for runs that a caller executes itself."""
        ...

    def release_run(self, run: UUID, worker: str, error: LoomError | None = None) -> None:
        """Gives a claimed run back to the queue, or (with an error) ends it as FAILED. Raises `RUN_LOST`."""
        ...

    def pause_run(self, run: UUID, pause: Pause) -> RunShape:
        """The same owner's pause is replaced. Raises `RUN_ENDED`."""
        ...

    def resume_run(self, run: UUID, owner: str) -> RunShape:
        """Lifts that owner's pause alone. Raises `RUN_ENDED`."""
        ...

    def cancel_run(self, run: UUID) -> RunShape:
        """For good: its worker is told so; a run that has no living worker ends at once. Raises `RUN_ENDED` for one
        that has ended in another way."""
        ...

    def forecast(self, pipeline: str, query: AssetQuery, definition: Mapping[str, Any] | None = None) -> ForecastShape:
        """What a run of the current version, or of a `definition` that need not be stored (version 0), over the present
        assets would find stored and have to compute; at most, for branches are not looked at. Raises
        `DEFINITION_INVALID`, also when an operator is not known here."""
        ...

    def costs(self, pipeline: str) -> list[KindCost]:
        """What assets took in its newest runs; nothing of a pipeline that never ran or is not known."""
        ...

    def retry(self, selection: Selection) -> list[RunShape]:
        """Forgets the failures that are meant, and queues a run over their places for each pipeline and host."""
        ...

    def set_aside(self, selection: Selection) -> int:
        """These failures are known and left: they are shown, retried and forgotten only on demand; returns how many
        were not set aside before. A failure that was forgotten and comes again is a new one."""
        ...
