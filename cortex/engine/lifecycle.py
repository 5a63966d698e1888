"""The rules of an asset's life, without input or output: which nodes are reached, and why a node is skipped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from loom.graph.plan import SOURCE, Inbound, Step
from loom.graph.ports import REST
from loom.model import Branch, Origin, Outcome, Reason, State, StoredResult

PASS_THROUGH = frozenset({Reason.FILTERED, Reason.DISABLED, Reason.NOT_PROCESSABLE, Reason.MISSING_INPUT})
"""Skips after which the pipeline simply moves on to the next node."""


def has_failed(outcome: Outcome) -> bool:
    """Whether the node raised, in this run or in the one whose stored result is used."""
    return outcome.state is State.FAILED or outcome.verdict is Branch.ERROR


def is_live(upstream: Outcome, label: Branch | None) -> bool:
    """Whether an edge with this label out of a node that ended so leads on."""
    if has_failed(upstream):
        return label is Branch.ERROR
    if upstream.state is State.COMPLETED or upstream.reason is Reason.STORED:
        return label is None or label is upstream.verdict
    return upstream.reason in PASS_THROUGH and (label is None or label is Branch.PASS)


def leads_by_verdict(edge: Inbound, upstream: Outcome) -> bool:
    """Whether an edge leads on, of a node that was computed once and sorts nothing into buckets."""
    return is_live(upstream, edge.branch) and edge.bucket in (None, REST)


def why_unreached(
    step: Step,
    outcomes: Sequence[Outcome | None],
    leads: Callable[[Inbound, Outcome], bool] = leads_by_verdict,
) -> Reason | None:
    """None when at least one inbound edge `leads` here; else why none does. Everything upstream must have its
    outcome."""
    failed = cancelled = False
    for edge in step.inbound:
        label = edge.branch
        if edge.upstream == SOURCE:
            if label is None or label is Branch.PASS:
                return None
            continue
        outcome = outcomes[edge.upstream]
        if outcome is None:
            raise ValueError(f"node {step.node!r} was asked for before what stands upstream of it")
        if leads(edge, outcome):
            return None
        failed = failed or has_failed(outcome) or outcome.reason is Reason.UPSTREAM_FAILED
        cancelled = cancelled or outcome.reason is Reason.CANCELLED
    if cancelled:
        return Reason.CANCELLED
    return Reason.UPSTREAM_FAILED if failed else Reason.BRANCH_NOT_TAKEN


def stored_outcome(result: StoredResult, origin: Origin) -> Outcome:
    """The outcome of a node whose result was stored: SKIPPED, with the stored verdict, ERROR for a stored failure."""
    verdict = Branch.ERROR if result.state is State.FAILED else result.verdict
    return Outcome(State.SKIPPED, Reason.STORED, origin, verdict)


def missing_input(step: Step, outputs: Mapping[int, object]) -> bool:
    """Whether a node that the step needs gave no outputs."""
    return any(step.reads.get(node) not in outputs for node in step.needs)


def is_settled(outcomes: Sequence[Outcome | None], retryable: bool) -> bool:
    """Whether nothing is left to do for an asset: every node has an outcome and none may be tried again."""
    return not retryable and all(o is not None and o.reason is not Reason.CANCELLED for o in outcomes)
