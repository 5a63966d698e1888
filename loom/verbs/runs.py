"""What one can ask of Loom about runs and what failed in them."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from loom.model import RunClosing, RunOpening, State
from loom.problems import FailureShape, ProblemShape
from loom.shapes import (
    FlowShape,
    GridShape,
    Page,
    ResultShape,
    RunShape,
)
from loom.steering import EVERY_FAILURE, Place, Selection
from loom.verbs.listing import PAGE


class Runs(Protocol):
    """Runs. A dry run is opened and finished here only if it was asked for with `request_run`."""

    def open_run(self, opening: RunOpening) -> None:
        """Begins a run, or goes on with one that was claimed: by the worker that claimed it, else `RUN_LOST`."""
        ...

    def finish_run(self, closing: RunClosing) -> None:
        """A run that was cancelled stays so. The counts are those of its caller's part: what other workers have walked
        before is added. Raises `RUN_LOST` when another worker has it."""
        ...

    def run(self, uuid: UUID) -> RunShape: ...

    def runs(self, *, pipeline: str | None = None, limit: int = PAGE, cursor: str | None = None) -> Page[RunShape]: ...

    def run_results(
        self,
        uuid: UUID,
        *,
        state: State | None = None,
        node: str | None = None,
        limit: int = PAGE,
        cursor: str | None = None,
    ) -> Page[ResultShape]: ...

    def run_problems(self, uuid: UUID, *, limit: int = PAGE, cursor: str | None = None) -> Page[ProblemShape]:
        """What kept a run from files, folders and sources, the first `MOST_PROBLEMS` of them."""
        ...

    def run_flow(self, uuid: UUID) -> FlowShape:
        """What went from node to node of a run, as far as it is stored."""
        ...

    def run_grid(self, uuid: UUID, *, offset: int = 0, limit: int = PAGE) -> GridShape:
        """What became of each node for each asset, in the order in which the assets were walked."""
        ...

    def failures(self, selection: Selection = EVERY_FAILURE) -> list[FailureShape]:
        """Failed results grouped by cause, the most frequent first. With a run: failures of that run's outcomes."""
        ...

    def failed_places(self, selection: Selection) -> list[Place]:
        """What `forget` would say; nothing is forgotten."""
        ...

    def forget(self, selection: Selection) -> list[Place]:
        """Forgets the failed results that are meant, so that the next visit computes them; says where their assets
        lie. Said again it forgets nothing more, and has nothing to say: who cannot do without the places asks for
        `failed_places` first."""
        ...
