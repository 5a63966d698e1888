"""What went from node to node in a run: counts of its outcomes by verdict and reason, and what was typical of times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from loom.model import Branch, Origin, Reason, State
from loom.packing import OUTCOME_BYTES, code_of
from loom.shapes import FlowShape, NodeFlow
from loom.store.outcomes import run_row
from loom.store.tables import outcomes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PIECE = 10_000
_NOTHING = b"\xff"
"""Stands where an asset has no outcome of a node: a byte that no word has."""

_PASSED_ON = (Reason.FILTERED, Reason.DISABLED, Reason.NOT_PROCESSABLE, Reason.MISSING_INPUT)
_NOT_REACHED = (Reason.BRANCH_NOT_TAKEN, Reason.UPSTREAM_FAILED, Reason.CANCELLED)


def of_run(connection: Connection, number: int) -> FlowShape:
    """Counted from the packed outcomes as they lie there, for a run may have millions."""
    import numpy as np

    steps = run_row(connection, number).steps
    rows = connection.execution_options(yield_per=_PIECE).execute(
        select(outcomes.c.packed).where(outcomes.c.run == number)
    )
    width = len(steps) * OUTCOME_BYTES
    pieces = [
        np.frombuffer(b"".join([packed.ljust(width, _NOTHING)[:width] for packed in piece]), np.uint8).reshape(
            -1, len(steps), OUTCOME_BYTES
        )
        for piece in rows.scalars().partitions(_PIECE)
    ]
    if not pieces:
        return FlowShape(nodes={step.node: NodeFlow() for step in steps})
    packed = np.concatenate(pieces)
    return FlowShape(nodes={step.node: flow_of(packed[:, at]) for at, step in enumerate(steps)})


def flow_of(packed: NDArray[np.uint8]) -> NodeFlow:
    """Of one node: an array of assets × the eight bytes of an outcome."""
    import numpy as np

    state, reason, origin, verdict = (packed[:, at] for at in range(4))
    has_failed = (state == code_of(State.FAILED)) | (verdict == code_of(Branch.ERROR))
    used = ((state == code_of(State.COMPLETED)) | (reason == code_of(Reason.STORED))) & ~has_failed
    is_rejected = used & (verdict == code_of(Branch.FAIL))
    times = np.ascontiguousarray(
        packed[(state == code_of(State.COMPLETED)) & (origin == code_of(Origin.COMPUTED)), 4:]
    ).view("<u4")
    return NodeFlow(
        passed=int((used & ~is_rejected).sum()),
        rejected=int(is_rejected.sum()),
        through=int(np.isin(reason, [code_of(one) for one in _PASSED_ON]).sum()),
        missed=int(np.isin(reason, [code_of(one) for one in _NOT_REACHED]).sum()),
        errors=int(has_failed.sum()),
        median_ms=float(np.median(times)) / 1000 if times.size else None,
    )
