"""Which groups of duplicates come of proposals, in whatever order they come."""

from __future__ import annotations

import random
from itertools import permutations

import pytest
from ledgers import COMPUTED, begin, digest, found, report

from loom.duplicates import Decision, path_of
from loom.errors import LoomError
from loom.model import asset_uuid
from loom.store import duplicates
from loom.verbs import MAX_PAGE


@pytest.fixture
def names(loom):
    """Assets `a` to `f`, each with two copies."""
    names = "abcdef"
    run = begin(loom)
    loom.report(run, [
        report(name, *(found(f"/{at}/{name}".encode(), mtime_ns=10**18 + at) for at in (1, 2)),
               outcomes=[COMPUTED, COMPUTED], size=ord(name))
        for name in names
    ])  # fmt: skip
    return {str(asset_uuid(digest(name))): name for name in names}


def propose(loom, kind, *members):
    with loom._database.write() as connection:
        return duplicates.propose(connection, kind, [(digest(name), distance) for name, distance in members], 7, set())


def groups(loom, names, state="PENDING"):
    """By name; with the distance of each member."""
    found = {}
    for group in loom.duplicates(state=state, kind="similar", limit=MAX_PAGE).items:
        members = sorted((names[str(one.asset)], one.distance) for one in group.members)
        found["".join(name for name, _ in members)] = [distance for _, distance in members]
    return found


PROPOSALS = [[("a", 0), ("b", 3)], [("c", 0), ("d", 2)], [("d", 0), ("b", 5), ("a", 9)], [("e", 0), ("f", 1)]]


def test_groups_are_the_same_whatever_the_order_of_the_proposals(loom, names):
    for order in list(permutations(PROPOSALS))[:: len(PROPOSALS)]:
        for members in order * 2:
            assert propose(loom, "similar", *members) is not None
        assert groups(loom, names) == {"abcd": [3, 3, 2, 2], "ef": [1, 1]}
        for group in loom.duplicates().items:
            with loom._database.write() as connection:
                duplicates.remove(connection, [duplicates.row_of(connection, group.uuid).id], set())


def test_who_is_not_known_is_passed_over(loom, names):
    assert propose(loom, "similar", ("a", 0), ("nobody", 1)) is None
    assert propose(loom, "exact", ("nobody", 0)) is None
    assert propose(loom, "similar") is None
    uuid = propose(loom, "similar", ("a", 0), ("nobody", 1), ("b", 2))
    assert uuid == propose(loom, "similar", ("b", 0), ("a", 2))
    assert groups(loom, names) == {"ab": [2, 2]}


@pytest.mark.parametrize(("kind", "distance"), [("alike", 1), ("similar", -1), ("similar", 2**15)])
def test_what_cannot_be_proposed(loom, names, kind, distance):
    with pytest.raises(LoomError) as refused:
        propose(loom, kind, ("a", 0), ("b", distance))
    assert refused.value.code == "REQUEST_INVALID"


def test_what_was_rejected_is_not_brought_together_again(loom, names):
    uuid = propose(loom, "similar", ("a", 0), ("b", 1))
    loom.reject_duplicate(uuid)
    assert propose(loom, "similar", ("b", 0), ("a", 1)) is None
    assert propose(loom, "similar", ("a", 0), ("b", 1), ("c", 2)) != uuid
    assert groups(loom, names) == {"ac": [2, 2]}


@pytest.mark.parametrize("order", list(permutations(["ac", "cb", "bd"])))
def test_who_is_near_two_that_belong_apart_stands_in_two_groups(loom, names, order):
    loom.reject_duplicate(propose(loom, "similar", ("a", 0), ("b", 1)))
    for first, other in order * 2:
        assert propose(loom, "similar", (first, 0), (other, 2)) is not None
    found = groups(loom, names)
    assert [set("ac") <= set(group) for group in found].count(True) == 1
    assert not any(set("ab") <= set(group) for group in found)
    for pair in order:
        assert any(set(pair) <= set(group) for group in found)
    assert propose(loom, "similar", ("c", 0), ("a", 2), ("b", 2)) is not None
    assert groups(loom, names) == found


def test_new_members_of_a_confirmed_group_are_a_new_proposal(loom, names):
    first = propose(loom, "similar", ("a", 0), ("b", 1))
    loom.confirm_duplicate(first)
    assert propose(loom, "similar", ("a", 0), ("b", 1)) is None
    second = propose(loom, "similar", ("a", 0), ("b", 1), ("c", 2))
    assert second not in (first, None)
    assert groups(loom, names) == {"ac": [2, 2]}
    assert groups(loom, names, "CONFIRMED") == {"ab": [1, 1]}


def test_who_was_left_out_belongs_apart(loom, names):
    uuid = propose(loom, "similar", ("a", 0), ("b", 1), ("c", 2), ("d", 3))
    keep = [member.id for member in loom.duplicate(uuid).members if names[str(member.asset)] in "ab"]
    told = loom.confirm_duplicate(uuid, Decision(members=tuple(keep)))
    parts = {names[str(one.asset)]: (one.kept, one.left) for one in told.members}
    assert parts == {"a": (False, False), "b": (True, False), "c": (False, True), "d": (False, True)}
    assert groups(loom, names) == {"cd": [3, 3]}
    assert propose(loom, "similar", ("a", 0), ("c", 1)) is None
    loom.reopen_duplicate(uuid)
    assert groups(loom, names) == {"abcd": [1, 1, 2, 3]}
    assert len(loom.duplicates().items) == 1


def test_copies_are_those_that_lie_somewhere_now(loom, names):
    uuid = propose(loom, "exact", ("a", 0))
    assert uuid == propose(loom, "exact", ("a", 0))
    told = loom.duplicate(uuid)
    assert [path_of(one.locations[0]) for one in told.members] == [b"/1/a", b"/2/a"]
    assert told.members[0].kept
    assert told.reason.startswith("older: changed")
    loom.mark_missing("here", [(b"/1", b"a")])
    left = loom.duplicate(uuid)
    assert ([path_of(one.locations[0]) for one in left.members], left.keeper) == ([b"/2/a"], None)
    loom.mark_missing("here", [(b"/2", b"b")])
    assert propose(loom, "exact", ("b", 0)) is None


def test_copies_that_were_decided_on_are_proposed_again_only_with_another_one(loom, names):
    uuid = propose(loom, "exact", ("a", 0))
    loom.confirm_duplicate(uuid)
    assert propose(loom, "exact", ("a", 0)) is None
    run = begin(loom)
    loom.report(run, [report("a", found(b"/3/a"), size=97)])
    assert propose(loom, "exact", ("a", 0)) not in (uuid, None)
    assert len(loom.duplicate(uuid).members) == 2
    loom.reopen_duplicate(uuid)  # takes the place of the other
    assert [group.uuid for group in loom.duplicates().items] == [uuid]
    assert len(loom.duplicate(uuid).members) == 3


def test_any_order_of_random_proposals_gives_the_same_groups(loom, names):
    chance = random.Random(3)
    members = [[(chance.choice("abcdef"), 0), (chance.choice("abcdef"), chance.randint(1, 9))] for _ in range(6)]
    told = []
    for _ in range(4):
        chance.shuffle(members)
        for pair in members:
            propose(loom, "similar", *pair)
        told.append(groups(loom, names))
        with loom._database.write() as connection:
            there = [duplicates.row_of(connection, one.uuid).id for one in loom.duplicates().items]
            duplicates.remove(connection, there, set())
    assert told == [told[0]] * 4
