"""What went from node to node, counted from packed outcomes."""

from __future__ import annotations

import numpy as np

from loom.model import Branch, Origin, Outcome, Reason, State
from loom.packing import OUTCOME_BYTES, pack_outcomes
from loom.shapes import NodeFlow
from loom.store.flow import flow_of

OUTCOMES = [
    Outcome(State.COMPLETED, None, Origin.COMPUTED, Branch.PASS, 1000),
    Outcome(State.COMPLETED, None, Origin.COMPUTED, Branch.PASS, 3000),
    Outcome(State.COMPLETED, None, Origin.COMPUTED, Branch.FAIL, 8000),
    Outcome(State.COMPLETED, None, Origin.CACHED, Branch.PASS),
    Outcome(State.SKIPPED, Reason.STORED, Origin.CACHED, Branch.FAIL),
    Outcome(State.SKIPPED, Reason.STORED, Origin.REMOTE, Branch.ERROR),
    Outcome(State.FAILED, None, Origin.COMPUTED, None, 500),
    Outcome(State.SKIPPED, Reason.FILTERED),
    Outcome(State.SKIPPED, Reason.NOT_PROCESSABLE),
    Outcome(State.SKIPPED, Reason.BRANCH_NOT_TAKEN),
    Outcome(State.SKIPPED, Reason.UPSTREAM_FAILED),
    Outcome(State.SKIPPED, Reason.CANCELLED),
]


def test_every_outcome_is_counted_where_it_went() -> None:
    packed = np.frombuffer(pack_outcomes(OUTCOMES), np.uint8).reshape(-1, OUTCOME_BYTES)
    assert flow_of(packed) == NodeFlow(passed=3, rejected=2, through=2, missed=3, errors=2, median_ms=3.0)


def test_nothing_computed_has_no_typical_time() -> None:
    packed = np.frombuffer(pack_outcomes(OUTCOMES[3:4]), np.uint8).reshape(-1, OUTCOME_BYTES)
    assert flow_of(packed) == NodeFlow(passed=1)
