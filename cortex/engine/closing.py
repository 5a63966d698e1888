"""How a run ends, as Loom is told of it."""

from __future__ import annotations

from cortex.engine.ingest_order import Claim
from cortex.engine.intake import now_us
from cortex.engine.problems import Problems
from cortex.engine.summary import shown_writes
from cortex.engine.tally import LaneRun, WouldWrite
from loom.model import RunClosing, RunState


def closing_of(
    run: LaneRun, state: RunState, claim: Claim | None, would_write: WouldWrite | None, problems: Problems | None
) -> RunClosing:
    """`problems` are told with one run of an ingest, None for the others."""
    return RunClosing(
        uuid=run.uuid,
        state=state,
        finished=now_us(),
        assets=run.assets,
        nodes=run.nodes,
        bytes_read=run.bytes_read,
        worker=None if claim is None else claim.worker,
        would_write=None if would_write is None else shown_writes(would_write),
        problems=() if problems is None else tuple(problems.kept),
        problems_total=0 if problems is None else problems.total,
        spent=run.spent,
    )
