"""Questions about large runs are answered without looking through all of it at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from ledgers import BROKEN, COMPUTED, STEPS, begin, done, failed, found, report

from loom.model import Outcome, Reason, State
from loom.steering import Selection
from loom.store import forgetting, outcomes, runfailures

SKIPPED = Outcome(State.SKIPPED, Reason.DISABLED)


@contextmanager
def plans_of(loom) -> Iterator[list[str]]:
    """How SQLite answers what is asked meanwhile."""
    asked: list[str] = []
    plans: list[str] = []
    real = loom._database._reader.raw_connection()
    connection = real.driver_connection
    real.close()
    connection.set_trace_callback(asked.append)
    try:
        yield plans
    finally:
        connection.set_trace_callback(None)
    for sql in asked:
        if sql.startswith("SELECT"):
            plans += [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]


@pytest.fixture
def run(loom):
    """A run in which every tenth of 300 assets failed."""
    run = begin(loom)
    batch = [
        report(str(n), found(b"/d/%d" % n), results=[done(0), failed(1) if n % 10 == 0 else done(1)],
               outcomes=[COMPUTED, BROKEN if n % 10 == 0 else COMPUTED], settled=True, collections=("all",))
        for n in range(300)
    ]  # fmt: skip
    loom.report(run, batch)
    return run


def everything(loom, run, **wanted):
    items, pages, cursor = [], 0, None
    while True:
        page = loom.run_results(run, cursor=cursor, limit=100, **wanted)
        items += page.items
        pages += 1
        if page.next is None:
            return items, pages
        cursor = page.next


def test_a_page_looks_at_so_many_outcomes_and_says_where_to_go_on(loom, run, monkeypatch):
    monkeypatch.setattr(outcomes, "MOST_LOOKED_AT", 50)
    items, pages = everything(loom, run, state=State.FAILED)
    assert (len({item.asset for item in items}), pages) == (30, 2)
    items, pages = everything(loom, run, node=STEPS[1].node)
    assert len({item.asset for item in items}) == len(items) == 300
    assert pages == 12
    assert len(everything(loom, run)[0]) == 600


def test_a_page_with_nothing_is_the_last_one(loom, monkeypatch):
    run = begin(loom)
    batch = [report(str(n), outcomes=[COMPUTED, SKIPPED if n == 250 else COMPUTED]) for n in range(300)]
    loom.report(run, batch)
    monkeypatch.setattr(outcomes, "MOST_LOOKED_AT", 50)
    page = loom.run_results(run, state=State.SKIPPED)
    assert [item.node for item in page.items] == [STEPS[1].node]
    rest = loom.run_results(run, state=State.SKIPPED, cursor=page.next)
    assert (rest.items, rest.next) == ([], None)
    first = loom.run_results(run, state=State.FAILED)
    assert (first.items, first.next) == ([], None)


def test_a_very_large_run_is_looked_through_for_nothing_in_steps(loom, run, monkeypatch):
    monkeypatch.setattr(outcomes, "MOST_FOR_NOTHING", 50)
    items, pages = everything(loom, run, state=State.SKIPPED)
    assert (items, pages) == ([], 12)


def test_a_node_that_the_run_does_not_have_is_answered_at_once(loom, run, monkeypatch):
    monkeypatch.setattr(outcomes, "walk", None)
    assert loom.run_results(run, node="nope").items == []
    assert loom.failures(Selection(run=run, node="nope")) == []


def test_failed_outcomes_are_found_by_their_index(loom, run):
    with plans_of(loom) as plans:
        assert len(loom.run_results(run, state=State.FAILED).items) == 30
        assert loom.failures(Selection(run=run))[0].count == 30
    assert sum("ix_outcomes_failed" in plan for plan in plans) == 2
    assert not [plan for plan in plans if "outcomes USING PRIMARY KEY" in plan]
    with plans_of(loom) as plans:
        assert loom.failures()[0].count == 30
    assert [plan for plan in plans if "ix_results_failed" in plan]


def test_collections_are_found_by_asset(loom, run):
    with plans_of(loom) as plans:
        assert loom.assets(limit=1).items[0].collections == ["all"]
    assert not [plan for plan in plans if plan.startswith("SCAN collection_assets")]


@pytest.mark.parametrize("of_run", [True, False])
def test_failures_are_forgotten_in_pieces(loom, run, monkeypatch, of_run):
    monkeypatch.setattr(forgetting, "_PIECE", 7)
    for module in (outcomes, runfailures):
        monkeypatch.setattr(module, "PIECE", 7)
    selection = Selection(run=run) if of_run else Selection()
    writes = []
    real = loom._database.write
    monkeypatch.setattr(loom._database, "write", lambda: (writes.append(1), real())[1])
    assert loom.failures(selection)[0].count == 30
    places = loom.failed_places(selection)
    assert sorted(loom.forget(selection)) == sorted(places)
    assert len({place.path for place in places}) == 30
    assert len(writes) in (5, 6)
    assert loom.failures(selection) == loom.forget(selection) == []


def test_all_that_is_meant_is_set_aside(loom, run, monkeypatch):
    monkeypatch.setattr(forgetting, "_PIECE", 7)
    assert loom.set_aside(Selection()) == 30
    assert loom.set_aside(Selection(aside=True)) == 0
    assert loom.failures() == []
    assert loom.failures(Selection(aside=True))[0].aside == 30
    assert loom.forget(Selection()) == []
    assert len(loom.forget(Selection(aside=True))) == 30
