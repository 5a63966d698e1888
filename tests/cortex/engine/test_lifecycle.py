import pytest

from cortex.engine.lifecycle import has_failed, is_live, is_settled, missing_input, stored_outcome, why_unreached
from loom.graph.plan import SOURCE, Inbound, Step
from loom.model import Branch, Origin, Outcome, Reason, State, StoredResult

PASSED = Outcome(State.COMPLETED, None, Origin.COMPUTED, Branch.PASS)
REJECTED = Outcome(State.COMPLETED, None, Origin.COMPUTED, Branch.FAIL)
RAISED = Outcome(State.FAILED, None, Origin.COMPUTED)
STORED_PASS = Outcome(State.SKIPPED, Reason.STORED, Origin.REMOTE, Branch.PASS)
STORED_FAIL = Outcome(State.SKIPPED, Reason.STORED, Origin.CACHED, Branch.FAIL)
STORED_ERROR = Outcome(State.SKIPPED, Reason.STORED, Origin.REMOTE, Branch.ERROR)


def skipped(reason: Reason) -> Outcome:
    return Outcome(State.SKIPPED, reason)


def step(*inbound: tuple[int, Branch | None], reads: dict[str, int] | None = None, needs: tuple[str, ...] = ()) -> Step:
    return Step(
        index=9,
        node="here",
        operator="test.here",
        operator_version="1",
        config={},
        signature=b"",
        inbound=tuple(Inbound(*edge) for edge in inbound),
        reads=reads or {},
        needs=needs,
        kinds=frozenset(),
        enabled=True,
        filter=None,
        timeout_s=None,
        retries=0,
        verdicts=None,
        sandboxed=True,
        effect=False,
    )


TABLE = [
    (PASSED, {None, Branch.PASS}),
    (STORED_PASS, {None, Branch.PASS}),
    (REJECTED, {None, Branch.FAIL}),
    (STORED_FAIL, {None, Branch.FAIL}),
    (skipped(Reason.FILTERED), {None, Branch.PASS}),
    (skipped(Reason.DISABLED), {None, Branch.PASS}),
    (skipped(Reason.NOT_PROCESSABLE), {None, Branch.PASS}),
    (skipped(Reason.MISSING_INPUT), {None, Branch.PASS}),
    (RAISED, {Branch.ERROR}),
    (STORED_ERROR, {Branch.ERROR}),
    (skipped(Reason.BRANCH_NOT_TAKEN), set()),
    (skipped(Reason.UPSTREAM_FAILED), set()),
    (skipped(Reason.CANCELLED), set()),
]


@pytest.mark.parametrize(("upstream", "live"), TABLE)
@pytest.mark.parametrize("label", [None, *Branch])
def test_an_edge_is_live_as_the_table_says(upstream: Outcome, live: set[Branch | None], label: Branch | None) -> None:
    assert is_live(upstream, label) is (label in live)


def test_one_live_edge_is_enough() -> None:
    assert why_unreached(step((0, None), (1, Branch.PASS)), [RAISED, PASSED]) is None


def test_the_source_always_leads_on() -> None:
    assert why_unreached(step((SOURCE, None)), []) is None
    assert why_unreached(step((SOURCE, Branch.PASS)), []) is None


@pytest.mark.parametrize(
    ("upstream", "reason"),
    [
        (REJECTED, Reason.BRANCH_NOT_TAKEN),
        (skipped(Reason.BRANCH_NOT_TAKEN), Reason.BRANCH_NOT_TAKEN),
        (RAISED, Reason.UPSTREAM_FAILED),
        (STORED_ERROR, Reason.UPSTREAM_FAILED),
        (skipped(Reason.UPSTREAM_FAILED), Reason.UPSTREAM_FAILED),
        (skipped(Reason.CANCELLED), Reason.CANCELLED),
    ],
)
def test_an_unreached_node_says_why(upstream: Outcome, reason: Reason) -> None:
    assert why_unreached(step((0, Branch.PASS)), [upstream]) is reason


def test_a_node_is_not_asked_for_before_what_stands_upstream() -> None:
    with pytest.raises(ValueError, match="upstream"):
        why_unreached(step((0, None)), [None])


def test_a_stored_failure_stays_a_failure() -> None:
    stored = StoredResult(b"s", State.FAILED, None, b"{}", error_code="FILE_DAMAGED")
    assert stored_outcome(stored, Origin.REMOTE) == STORED_ERROR
    assert has_failed(STORED_ERROR)
    assert not has_failed(STORED_FAIL)


def test_a_needed_node_must_have_given_outputs() -> None:
    needy = step((0, None), reads={"a": 0}, needs=("a",))
    assert missing_input(needy, {})
    assert not missing_input(needy, {0: {}})


def test_settled_means_that_nothing_is_left_to_do() -> None:
    assert is_settled([PASSED, STORED_ERROR], retryable=False)
    assert not is_settled([PASSED, RAISED], retryable=True)
    assert not is_settled([PASSED, None], retryable=False)
    assert not is_settled([skipped(Reason.CANCELLED)], retryable=False)
