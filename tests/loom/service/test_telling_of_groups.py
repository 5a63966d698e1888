"""What is told on the bus of groups of duplicates and of what was done to files."""

from __future__ import annotations

from uuid import uuid4

import pytest
from ledgers import HOST, SilentBus, begin, digest, found, report, toy_operators

from loom.actions import ActionEnd
from loom.duplicates import Decision
from loom.events import NO_RUN, ActionEvent, DuplicateEvent, RunHead
from loom.model import Action, asset_uuid
from loom.service import LocalLoom
from loom.store.database import Database


@pytest.fixture
def bus() -> SilentBus:
    return SilentBus()


@pytest.fixture
def loom(tmp_path, bus):
    loom = LocalLoom(Database.open(f"sqlite:///{tmp_path}/loom.db"), tmp_path / "blobs", bus, toy_operators())
    yield loom
    loom.close()


@pytest.fixture
def run(loom):
    run = begin(loom)
    loom.report(run, [report(name, found(f"/0/{name}".encode())) for name in "abcd"])
    return run


@pytest.fixture
def told(loom, bus):
    """What was told of groups and actions since it was last asked."""

    def take():
        published, bus.published[:] = list(bus.published), []
        events = [(head, event) for head, events in published for event in events]
        return [
            (head, *((e.duplicate, e.kind) if isinstance(e, DuplicateEvent) else (e.action, e.kind, e.asset)), e.status)
            for head, e in events
            if isinstance(e, DuplicateEvent | ActionEvent)
        ]

    return take


def similar(loom, *names):
    return loom.propose("similar", [(digest(name), 2 * at) for at, name in enumerate(names)])


def test_a_group_that_is_made_grows_and_is_decided_on(loom, run, told):
    group = similar(loom, "a", "b")
    assert told() == [(NO_RUN, group, "similar", "PENDING")]
    assert similar(loom, "a", "b") == group
    assert told() == [], "what is proposed again is no news"
    ids = tuple(str(asset_uuid(digest(name))) for name in "ab")
    loom.confirm_duplicate(group, Decision(keeper=ids[1]))
    loom.confirm_duplicate(group, Decision(keeper=ids[1]))
    assert told() == [(NO_RUN, group, "similar", "CONFIRMED")]
    loom.reopen_duplicate(group)
    loom.reject_duplicate(group)
    assert told() == [(NO_RUN, group, "similar", "PENDING"), (NO_RUN, group, "similar", "REJECTED")]


def test_a_group_that_becomes_part_of_another_is_gone(loom, run, told):
    rejected = similar(loom, "a", "b")
    loom.confirm_duplicate(rejected)
    other = similar(loom, "b", "c")
    told()
    loom.reopen_duplicate(rejected)
    assert sorted(told()) == sorted([(NO_RUN, rejected, "similar", "PENDING"), (NO_RUN, other, None, "GONE")])


def test_what_is_left_out_becomes_a_group_of_its_own(loom, run, told):
    group = similar(loom, "a", "b", "c", "d")
    ids = [str(asset_uuid(digest(name))) for name in "ab"]
    told()
    loom.confirm_duplicate(group, Decision(members=tuple(ids)))
    (new,) = (one.uuid for one in loom.duplicates(state="PENDING").items)
    assert {one[1:] for one in told()} == {(group, "similar", "CONFIRMED"), (new, "similar", "PENDING")}


def test_actions_of_people_and_of_runs(loom, run, told):
    def action(kind):
        return Action(uuid4(), kind, digest("a"), b"/0/a", b"/1/a", digest("a"), 10, 1)

    moved, failed = action("moved"), action("moved")
    for one in (moved, failed):
        loom.begin_action(HOST, one)
    loom.end_action(failed.uuid, ActionEnd(state="FAILED"))
    assert told() == []
    for state in ("DONE", "DONE", "UNDONE"):
        loom.end_action(moved.uuid, ActionEnd(state=state))
    assert told() == [(NO_RUN, moved.uuid, "moved", digest("a"), state) for state in ("DONE", "UNDONE")]
    ahead, straight = action("copied"), action("wrote")
    loom.intend(run, [ahead])
    assert told() == []
    for _ in range(2):
        loom.report(run, [report("a", found(b"/0/a"), actions=(ahead, straight))])
    head = RunHead(run, "photos", False)
    assert told() == [(head, one.uuid, one.kind, digest("a"), "DONE") for one in (ahead, straight)]
