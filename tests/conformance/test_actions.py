"""What was done to files: written down before and after, by people and by runs."""

from __future__ import annotations

from uuid import uuid4

import pytest
from ledgers import COMPUTED, HOST, PLAN, begin, closing, digest, done, found, report

from loom.actions import ActionEnd
from loom.errors import LoomError
from loom.model import Action, asset_uuid

TIME = 1_700_000_000_000_000
ASIDE = b"/aside/\xff/a"


def code_of(call) -> str:
    with pytest.raises(LoomError) as refused:
        call()
    return refused.value.code


def action(kind="moved", name="a", origin=b"/0/a", target=ASIDE) -> Action:
    return Action(uuid4(), kind, digest(name), origin, target, digest(name), 10, TIME)


def lying(loom, name="a"):
    places = loom.asset_locations(asset_uuid(digest(name)))
    return {place.path: (str(place.state), [change.change for change in place.history]) for place in places}


@pytest.fixture
def run(loom):
    run = begin(loom)
    loom.report(run, [report("a", found(b"/0/a"), results=[done(0), done(1)], outcomes=[COMPUTED, COMPUTED],
                             settled=True)])  # fmt: skip
    return run


def test_an_action_is_written_down_before_and_after(loom, run):
    made, group = action(), uuid4()
    for _ in range(2):
        loom.begin_action(HOST, made, duplicate=group)
    told = loom.action(made.uuid)
    assert (told.state, told.kind, told.run, told.duplicate, told.host) == ("BEGUN", "moved", None, group, HOST)
    assert (told.origin_path, told.target_path, told.origin_b64) == (b"/0/a", ASIDE, None)
    assert (told.asset, told.blake3, told.digest) == (asset_uuid(digest("a")), digest("a").hex(), digest("a").hex())
    assert (told.size, told.began, told.ended, told.why) == (10, "2023-11-14T22:13:20.000Z", None, None)
    ending = ActionEnd(state="DONE", found=found(ASIDE))
    for _ in range(2):
        loom.end_action(made.uuid, ending)
    assert loom.action(made.uuid).state == "DONE"
    assert loom.action(made.uuid).ended is not None
    assert code_of(lambda: loom.end_action(made.uuid, ActionEnd(state="FAILED"))) == "DECIDED"
    loom.end_action(made.uuid, ActionEnd(state="UNDONE", found=found(b"/0/a")))
    assert code_of(lambda: loom.end_action(made.uuid, ending)) == "DECIDED"
    assert code_of(lambda: loom.end_action(uuid4(), ending)) == "NOT_FOUND"
    assert code_of(lambda: loom.action(uuid4())) == "NOT_FOUND"


def test_what_fails_says_why_and_changes_nothing(loom, run):
    made = action()
    loom.begin_action(HOST, made)
    loom.end_action(made.uuid, ActionEnd(state="FAILED", why="the disk\0 is \ud800 full"))
    told = loom.action(made.uuid)
    assert (told.state, told.why) == ("FAILED", "the disk\ufffd is ? full")
    assert lying(loom) == {"/0/a": ("present", ["found"])}


def test_a_file_that_was_moved_lies_there_settled_and_comes_back_so(loom, run):
    made = action()
    loom.begin_action(HOST, made)
    loom.end_action(made.uuid, ActionEnd(state="DONE", found=found(ASIDE)))
    assert lying(loom) == {"/0/a": ("missing", ["found", "moved"]), "/aside/\ufffd/a": ("present", ["found"])}
    (files,) = loom.known_files(HOST, [b"/aside/\xff"], PLAN)
    assert [(file.name, file.present, file.settled) for file in files] == [(b"a", True, True)]
    loom.end_action(made.uuid, ActionEnd(state="UNDONE", found=found(b"/0/a")))
    assert lying(loom)["/0/a"] == ("present", ["found", "moved", "returned"])
    assert lying(loom)["/aside/\ufffd/a"] == ("missing", ["found", "gone"])
    (files,) = loom.known_files(HOST, [b"/0"], PLAN)
    assert [(file.name, file.present, file.settled) for file in files] == [(b"a", True, True)]


def test_what_was_removed_comes_back_beside_its_twin(loom, run):
    loom.report(run, [report("a", found(b"/twin/a"))])
    made = action("removed", target=b"/twin/a")
    loom.begin_action(HOST, made)
    loom.end_action(made.uuid, ActionEnd(state="DONE"))
    loom.mark_missing(HOST, [(b"/0", b"a")])
    loom.end_action(made.uuid, ActionEnd(state="UNDONE", found=found(b"/0/a")))
    assert {path: state for path, (state, _) in lying(loom).items()} == {"/0/a": "present", "/twin/a": "present"}


def test_a_run_tells_what_it_did_with_its_reports(loom, run):
    copied, wrote = action("copied"), action("wrote", target=b"/0/a.xmp")
    for _ in range(2):
        loom.report(run, [report("a", found(b"/0/a"), actions=(copied, wrote))])
    told = loom.actions(run=run).items
    assert [(one.uuid, one.kind, one.state, one.run, one.host) for one in told] == [
        (copied.uuid, "copied", "DONE", run, HOST), (wrote.uuid, "wrote", "DONE", run, HOST)
    ]  # fmt: skip
    assert lying(loom) == {"/0/a": ("present", ["found"])}
    loom.end_action(copied.uuid, ActionEnd(state="UNDONE"))
    assert lying(loom) == {"/0/a": ("present", ["found"])}


def test_actions_are_listed_in_order_and_narrowed(loom, run):
    group = uuid4()
    mine, other, theirs = action(), action(target=b"/b"), action(target=b"/c")
    loom.begin_action(HOST, mine, duplicate=group)
    loom.begin_action(HOST, other)
    loom.begin_action("elsewhere", theirs, duplicate=group)
    loom.end_action(other.uuid, ActionEnd(state="FAILED"))

    def listed(**asked):
        return [one.uuid for one in loom.actions(**asked).items]

    assert listed() == [mine.uuid, other.uuid, theirs.uuid]
    assert listed(duplicate=group) == [mine.uuid, theirs.uuid]
    assert listed(host=HOST, state="BEGUN") == [mine.uuid]
    assert listed(run=run) == []
    first = loom.actions(limit=2)
    rest = loom.actions(limit=2, cursor=first.next)
    assert ([one.uuid for one in [*first.items, *rest.items]], rest.next) == (listed(), None)
    assert code_of(lambda: loom.actions(cursor="x")) == "REQUEST_INVALID"


def test_what_was_put_aside_is_no_copy_any_more(loom, run):
    loom.report(run, [report("a", found(b"/1/a"))])
    uuid = loom.propose("exact", [(digest("a"), 0)])
    loom.confirm_duplicate(uuid)
    made = action()
    loom.begin_action(HOST, made, duplicate=uuid)
    loom.end_action(made.uuid, ActionEnd(state="DONE", found=found(ASIDE)))
    assert loom.propose("exact", [(digest("a"), 0)]) is None
    assert code_of(lambda: loom.reopen_duplicate(uuid)) == "DECIDED"
    assert [str(one.locations[0].state) for one in loom.duplicate(uuid).members] == ["missing", "present"]
    loom.end_action(made.uuid, ActionEnd(state="UNDONE", found=found(b"/0/a")))
    assert [str(one.locations[0].state) for one in loom.duplicate(uuid).members] == ["present", "present"]
    assert loom.reopen_duplicate(uuid).state == "PENDING"


def test_a_run_says_what_it_is_about_to_do(loom, run):
    done, dropped, left = action("copied"), action("copied", target=b"/b"), action("moved", target=b"/c")
    for _ in range(2):
        loom.intend(run, [done, dropped, left])
    assert [(one.state, one.run, one.host) for one in loom.actions(run=run).items] == [("BEGUN", run, HOST)] * 3
    loom.intend(run, [], [dropped.uuid])
    for _ in range(2):
        loom.report(run, [report("a", found(b"/0/a"), actions=(done,))])
    told = loom.actions(run=run).items
    assert [(one.uuid, one.state) for one in told] == [(done.uuid, "DONE"), (left.uuid, "BEGUN")]
    assert (told[0].ended is None, told[1].ended) == (False, None)
    loom.intend(run, [], [done.uuid])
    assert loom.action(done.uuid).state == "DONE"
    assert code_of(lambda: loom.intend(uuid4(), [left])) == "NOT_FOUND"
    loom.finish_run(closing(run))
    assert code_of(lambda: loom.intend(run, [action()])) == "REQUEST_INVALID"
    loom.end_action(left.uuid, ActionEnd(state="FAILED"))


def test_what_was_undone_stays_so_when_its_run_tells_of_it_late(loom, run):
    late = action("copied")
    loom.intend(run, [late])
    loom.end_action(late.uuid, ActionEnd(state="DONE"))
    loom.end_action(late.uuid, ActionEnd(state="UNDONE"))
    loom.report(run, [report("a", found(b"/0/a"), actions=(late,))])
    assert loom.action(late.uuid).state == "UNDONE"
