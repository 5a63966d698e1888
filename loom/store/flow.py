"""What went from node to node in a run: counts of its outcomes by verdict and reason, and what was typical of times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from loom.model import Branch, NodeCounts, Origin, Reason, State
from loom.packing import code_of
from loom.shapes import FlowShape, NodeFlow
from loom.store.counting import node_names, pieces

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PASSED_ON = (Reason.FILTERED, Reason.DISABLED, Reason.NOT_PROCESSABLE, Reason.MISSING_INPUT)
_NOT_REACHED = (Reason.BRANCH_NOT_TAKEN, Reason.UPSTREAM_FAILED, Reason.CANCELLED)


def of_run(connection: Connection, number: int) -> FlowShape:
    import numpy as np

    names = node_names(connection, number)
    found = list(pieces(connection, number, len(names)))
    if not found:
        return FlowShape(nodes={name: NodeFlow() for name in names})
    packed = np.concatenate(found)
    return FlowShape(nodes={name: flow_of(packed[:, at]) for at, name in enumerate(names)})


def of_counts(nodes: Mapping[str, NodeCounts]) -> FlowShape:
    """As far as a run's counts tell it, for one that stores no outcomes: they do not say what rejected, nor why a node
    was skipped."""
    return FlowShape(
        nodes={
            name: NodeFlow(passed=counts.computed + counts.cached + counts.remote, errors=counts.failed)
            for name, counts in nodes.items()
        }
    )


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
