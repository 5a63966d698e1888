from __future__ import annotations

from uuid import uuid4

import pytest

from cortex.request import Request

RUN = uuid4()


@pytest.fixture(autouse=True)
def _called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/bin/cortex", "ingest", "/a b", "--dry-run"])


def test_who_interrupted_it_is_told_how_to_go_on() -> None:
    request = Request()
    assert request.interrupted(dry_run=False) == (
        "Interrupted. What was done is kept; go on with: cortex ingest '/a b' --dry-run"
    )
    assert request.interrupted(dry_run=False, cancelled=True).startswith("Cancelled. What was done is kept; go on with")
    assert Request(places=(b"/m/a", b"/m/b"), pipeline="p").command() == "cortex ingest --pipeline p /m"


def test_after_a_dry_run_nothing_is_kept() -> None:
    assert Request().interrupted(dry_run=True) == (
        "Interrupted. Nothing was written; begin again with: cortex ingest '/a b' --dry-run"
    )


@pytest.mark.parametrize(("dry_run", "kept"), [(True, "Nothing was written"), (False, "What was done is kept")])
def test_a_run_that_a_worker_was_given_is_not_gone_on_with_by_hand(dry_run: bool, kept: str) -> None:
    claimed = Request(claim=(RUN, "worker"), dry_run=dry_run)
    assert claimed.interrupted(dry_run=dry_run) == (
        f"Interrupted. {kept}; the run {RUN} goes back to Loom, which gives it to another worker."
    )
    assert claimed.interrupted(dry_run=dry_run, cancelled=True) == f"The run {RUN} was cancelled. {kept}."
