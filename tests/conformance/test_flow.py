"""What went from node to node of a run."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from ledgers import BROKEN, COMPUTED, begin, found, report

from loom.errors import LoomError
from loom.model import Branch, Outcome, Reason, State
from loom.shapes import NodeFlow

REJECTED = Outcome(State.COMPLETED, None, COMPUTED.origin, Branch.FAIL, COMPUTED.duration_us)
MISSED = Outcome(State.SKIPPED, Reason.BRANCH_NOT_TAKEN)


def test_assets_are_counted_by_verdict_and_by_what_kept_them_away(loom: Any) -> None:
    run = begin(loom)
    walked = [
        ("a", [COMPUTED, COMPUTED]), ("b", [REJECTED, MISSED]), ("c", [BROKEN, MISSED]), ("d", [COMPUTED, MISSED])
    ]  # fmt: skip
    loom.report(run, [report(name, found(b"/data/" + name.encode()), outcomes=outcomes) for name, outcomes in walked])
    took = COMPUTED.duration_us / 1000
    assert loom.run_flow(run).nodes == {
        "sha256": NodeFlow(passed=2, rejected=1, errors=1, median_ms=took),
        "small": NodeFlow(passed=1, missed=3, median_ms=took),
    }


def test_a_run_that_has_walked_nothing_has_no_flow_and_none_at_all_is_told(loom: Any) -> None:
    assert loom.run_flow(begin(loom)).nodes == {"sha256": NodeFlow(), "small": NodeFlow()}
    with pytest.raises(LoomError):
        loom.run_flow(uuid4())
