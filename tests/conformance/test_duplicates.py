"""Groups of duplicates: proposed, looked at, decided on."""

from __future__ import annotations

from uuid import uuid4

import pytest
from ledgers import COMPUTED, HOST, begin, digest, done, failed, found, report

from loom.duplicates import Decision, path_of
from loom.errors import LoomError
from loom.model import asset_uuid


def code_of(call) -> str:
    with pytest.raises(LoomError) as refused:
        call()
    return refused.value.code


def ingested(loom, *names, copies=1, **more):
    run = begin(loom)
    loom.report(run, [
        report(name, *(found(f"/{at}/{name}".encode(), mtime_ns=10**18 - at * 10**9) for at in range(copies)),
               outcomes=[COMPUTED, COMPUTED], **more)
        for name in names
    ])  # fmt: skip
    return run


def proposed(loom, *names, kind="similar"):
    return loom.propose(kind, [(digest(name), at) for at, name in enumerate(names)])


def ids(*names):
    return [str(asset_uuid(digest(name))) for name in names]


def test_a_group_has_its_members_with_the_suggested_keeper(loom):
    ingested(loom, "a", size=7)
    ingested(loom, "b", size=9)
    uuid = proposed(loom, "a", "b")
    group = loom.duplicate(uuid)
    assert (group.uuid, group.kind, group.state, group.decided) == (uuid, "similar", "PENDING", None)
    assert (group.keeper, group.reason) == (ids("b")[0], "larger: 9 bytes, the next 7")
    assert [(one.id, one.kept, one.left, one.size, one.distance) for one in group.members] == [
        (ids("a")[0], False, False, 7, 1), (ids("b")[0], True, False, 9, 1)
    ]  # fmt: skip
    assert [member.blake3 for member in group.members] == [digest("a").hex(), digest("b").hex()]
    assert [path_of(member.locations[0]) for member in group.members] == [b"/0/a", b"/0/b"]


def test_groups_are_listed_by_state_kind_and_asset_in_pages(loom):
    ingested(loom, *"abcd", copies=2)
    similar, other, exact = proposed(loom, "a", "b"), proposed(loom, "c", "d"), proposed(loom, "a", kind="exact")
    loom.reject_duplicate(other)

    def listed(**asked):
        return [group.uuid for group in loom.duplicates(**asked).items]

    assert listed() == [similar, other, exact]
    assert listed(state="PENDING") == [similar, exact]
    assert listed(state="REJECTED") == [other]
    assert listed(kind="exact") == [exact]
    assert listed(asset=asset_uuid(digest("b"))) == [similar]
    first = loom.duplicates(limit=2)
    assert [group.uuid for group in first.items] == [similar, other]
    second = loom.duplicates(limit=2, cursor=first.next)
    assert ([group.uuid for group in second.items], second.next) == ([exact], None)
    assert code_of(lambda: loom.duplicates(asset=uuid4())) == "NOT_FOUND"
    assert code_of(lambda: loom.duplicates(cursor="x")) == "REQUEST_INVALID"
    for call in (loom.duplicate, loom.confirm_duplicate, loom.reject_duplicate, loom.reopen_duplicate):
        assert code_of(lambda call=call: call(uuid4())) == "NOT_FOUND"


def test_what_is_decided_is_kept_and_said_twice_is_done_once(loom):
    ingested(loom, "a", "b", "c")
    uuid = proposed(loom, "a", "b", "c")
    keeper, *_ = ids("c")
    told = loom.confirm_duplicate(uuid, Decision(keeper=keeper, seen=tuple(ids("c", "a", "b"))))
    assert (told.state, told.keeper, told.reason) == ("CONFIRMED", keeper, "chosen by hand")
    assert [member.id for member in told.members if member.kept] == [keeper]
    assert told.decided is not None
    assert loom.confirm_duplicate(uuid, Decision(keeper=keeper)) == told
    assert loom.confirm_duplicate(uuid) == told
    assert code_of(lambda: loom.confirm_duplicate(uuid, Decision(keeper=ids("a")[0]))) == "DECIDED"
    assert code_of(lambda: loom.reject_duplicate(uuid)) == "DECIDED"
    again = loom.reopen_duplicate(uuid)
    assert (again.state, again.decided, again.reason) == ("PENDING", None, "the shortest path")
    assert loom.reopen_duplicate(uuid) == again
    rejected = loom.reject_duplicate(uuid, ids("a", "b", "c"))
    assert (rejected.state, rejected.keeper) == ("REJECTED", None)
    assert loom.reject_duplicate(uuid) == rejected
    assert code_of(lambda: loom.confirm_duplicate(uuid)) == "DECIDED"
    assert proposed(loom, "b", "a") is None


def test_what_cannot_be_confirmed(loom):
    ingested(loom, "a", "b", "c")
    uuid = proposed(loom, "a", "b")
    a, b, c = ids("a", "b", "c")
    for decision in (Decision(keeper=c), Decision(members=(a, c)), Decision(members=(a,)), Decision(members=()),
                     Decision(members=(a, b), keeper="x"), Decision(keeper="")):  # fmt: skip
        assert code_of(lambda decision=decision: loom.confirm_duplicate(uuid, decision)) == "REQUEST_INVALID"
    for seen in ((a,), (a, b, c), ()):
        assert code_of(lambda seen=seen: loom.confirm_duplicate(uuid, Decision(seen=seen))) == "VERSION_CONFLICT"
        assert code_of(lambda seen=seen: loom.reject_duplicate(uuid, seen)) == "VERSION_CONFLICT"
    loom.mark_missing(HOST, [(b"/0", b"a")])
    assert code_of(lambda: loom.confirm_duplicate(uuid)) == "REQUEST_INVALID"
    assert loom.duplicate(uuid).state == "PENDING"


def test_the_complete_goes_before_the_larger_and_the_larger_before_the_older(loom):
    ingested(loom, "a", size=5)
    ingested(loom, "b", size=8)
    uuid = proposed(loom, "a", "b")
    assert loom.duplicate(uuid).keeper == ids("b")[0]
    run = begin(loom)
    loom.report(run, [report("b", found(b"/0/b"), results=[done(0), failed(1, "FILE_TRUNCATED")], size=8)])
    told = loom.duplicate(uuid)
    assert (told.keeper, told.reason) == (ids("a")[0], "complete: the next is damaged or ends too early")
    assert [member.complete for member in told.members] == [None, False]


def test_of_copies_the_oldest_is_kept_wherever_they_go(loom):
    ingested(loom, "a", copies=3)
    uuid = proposed(loom, "a", kind="exact")
    told = loom.duplicate(uuid)
    assert [(path_of(one.locations[0]), one.kept) for one in told.members] == [
        (b"/0/a", False), (b"/1/a", False), (b"/2/a", True)
    ]  # fmt: skip
    assert len({member.id for member in told.members}) == 3
    first = told.members[0].id
    two = loom.confirm_duplicate(uuid, Decision(members=(first, told.members[1].id)))
    assert [(one.kept, one.left) for one in two.members] == [(False, False), (True, False), (False, True)]
    loom.mark_missing(HOST, [(b"/0", b"a")])
    gone = loom.duplicate(uuid).members[0]
    assert (gone.id, str(gone.locations[0].state)) == (first, "missing")
