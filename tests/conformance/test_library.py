from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from ledgers import HOST, begin, digest, found, report

from loom.errors import LoomError
from loom.model import Branch, State, StepRef, StoredResult
from loom.verbs import CopyAt, Loom

PHASH = StepRef("phash", "image.phash", "1", digest("step phash"))
OLDER = StepRef("older", "image.phash", "0", digest("step older phash"))
FILM = StepRef("film", "video.fingerprint", "1", digest("step film"))
SAME = StepRef("same", "dedup.exact", "1", digest("step same"))

Tell = Callable[..., None]


@pytest.fixture
def run(loom: Loom) -> UUID:
    return begin(loom, steps=(PHASH, OLDER, FILM, SAME))


@pytest.fixture
def tell(loom: Loom, run: UUID) -> Tell:
    """Says that an asset lies at `/data/<name>`, and what a step gave."""

    def tell(name: str, step: StepRef = PHASH, place: bytes | None = None, **outputs: Any) -> None:
        given = StoredResult(step.signature, State.COMPLETED, Branch.PASS, json.dumps(outputs).encode())
        loom.report(run, [report(name, found(place or b"/data/" + name.encode()), results=[given])])

    return tell


def value(*bits: int) -> str:
    """A hash of which these bits are turned; none of it is 0."""
    return f"{0x5555_5555_5555_5555 ^ sum(1 << bit for bit in bits):016x}"


def near(loom: Loom, hexadecimal: str, distance: int = 8, kind: str = "image.phash", **more: Any) -> Any:
    return [(match.asset, match.distance) for match in loom.similar(kind, bytes.fromhex(hexadecimal), distance, **more)]


def test_what_is_near_is_found_the_nearest_first(loom: Loom, tell: Tell) -> None:
    for name, bits in (("far", range(20)), ("three", (1, 2, 3)), ("same", ()), ("eight", range(8)), ("nine", range(9))):
        tell(name, phash=value(*bits), quality=90)
    assert near(loom, value()) == [(digest("same"), 0), (digest("three"), 3), (digest("eight"), 8)]
    assert near(loom, value(), 0) == [(digest("same"), 0)]
    assert near(loom, value(), 2, limit=1) == near(loom, value(), limit=1) == [(digest("same"), 0)]
    assert len(near(loom, value(), 32)) == 5
    first = loom.similar("image.phash", bytes.fromhex(value()), 0)[0]
    assert first.since > 10**15, "microseconds since 1970"


def test_of_equally_near_ones_that_which_was_known_first_comes_first(loom: Loom, tell: Tell) -> None:
    for name in ("b", "a", "c"):
        tell(name, phash=value(1))
    assert [asset for asset, _ in near(loom, value())] == [digest("b"), digest("a"), digest("c")]


def test_new_ones_are_found_and_replaced_ones_are_not(loom: Loom, tell: Tell) -> None:
    tell("a", phash=value(), quality=90)
    tell("b", phash=value(), quality=90)
    assert len(near(loom, value())) == 2
    tell("a", phash=value(*range(30, 60)), quality=90)
    assert near(loom, value()) == [(digest("b"), 0)]
    assert near(loom, value(*range(30, 60))) == [(digest("a"), 0)]
    tell("b", nothing=1)
    assert near(loom, value()) == []
    tell("b", phash=value(), quality=90)
    tell("b", phash=value(), quality=90)
    assert near(loom, value()) == [(digest("b"), 0)]


def test_an_asset_with_two_fingerprints_of_a_kind_is_found_once_at_its_nearest(loom: Loom, tell: Tell) -> None:
    tell("a", phash=value(1, 2, 3))
    tell("a", OLDER, phash=value(1))
    assert near(loom, value()) == [(digest("a"), 1)]


def test_what_says_nothing_is_not_kept(loom: Loom, tell: Tell) -> None:
    tell("flat", phash=value(), quality=9)
    tell("empty", phash="0" * 16, quality=90)
    tell("strange", phash="no hash", quality="good")
    tell("short", phash=value()[:8])
    tell("list", phash=[value()])
    assert near(loom, value(), 32) == []
    tell("enough", phash=value(), quality=10)
    assert near(loom, value()) == [(digest("enough"), 0)]


def test_films_are_compared_where_both_have_a_picture(loom: Loom, tell: Tell) -> None:
    black = "0" * 16
    tell("picture", phash=value())
    tell("whole", FILM, summary=value() * 4)
    tell("begins black", FILM, summary=black + value(1, 2) * 3)
    tell("other", FILM, summary=value(*range(32)) * 4)
    film = "video.fingerprint"
    assert near(loom, value() * 4, kind=film) == [(digest("whole"), 0), (digest("begins black"), 2)]
    assert near(loom, black * 3 + value(), kind=film) == [(digest("whole"), 0), (digest("begins black"), 2)]
    uneven = value() * 3 + value(*range(6))
    assert near(loom, uneven, 2, kind=film) == [(digest("whole"), 2)], "6 bits of 256 are a mean of 1.5, rounded up"
    assert near(loom, uneven, 1, kind=film) == []


def test_assets_of_which_all_files_are_gone_are_not_found(loom: Loom, tell: Tell) -> None:
    tell("gone", phash=value())
    tell("away", phash=value(1), place=b"/disk/away")
    loom.mark_missing(HOST, [(b"/data", b"gone")])
    loom.mark_unreachable(HOST, b"/disk")
    assert near(loom, value()) == [(digest("away"), 1)]


@pytest.mark.parametrize(
    ("kind", "given", "distance", "limit"),
    [("image.smell", 8, 8, 1), ("image.phash", 7, 8, 1), ("video.fingerprint", 8, 8, 1), ("image.phash", 8, 33, 1),
     ("image.phash", 8, -1, 1), ("image.phash", 8, 8, 0), ("image.phash", 8, 8, 1001)],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(loom: Loom, kind: str, given: int, distance: int, limit: int) -> None:
    with pytest.raises(LoomError) as refused:
        loom.similar(kind, b"x" * given, distance, limit)
    assert refused.value.code == "REQUEST_INVALID"


def test_copies_are_the_present_files(loom: Loom, run: UUID, tell: Tell) -> None:
    tell("a", place=b"/data/\xff one")
    tell("a", place=b"/data/two")
    tell("a", place=b"/data/three")
    loom.mark_missing(HOST, [(b"/data", b"three")])
    mtime = 10**18
    assert loom.copies(digest("a")) == [CopyAt(HOST, b"/data/two", mtime), CopyAt(HOST, b"/data/\xff one", mtime)]
    assert loom.copies(digest("never")) == []


def members(loom: Loom, group: UUID | None) -> set[str]:
    assert group is not None
    places = (location.path for member in loom.duplicate(group).members for location in member.locations)
    return {path.rpartition("/")[2] for path in places}


def propose(loom: Loom, **alike: int) -> UUID | None:
    return loom.propose("similar", [(digest(name), distance) for name, distance in alike.items()])


def test_a_group_is_proposed_once(loom: Loom, tell: Tell) -> None:
    for name in ("a", "b"):
        tell(name)
    group = propose(loom, b=0, a=3)
    assert members(loom, group) == {"a", "b"}
    assert propose(loom, a=0, b=3) == propose(loom, b=0, a=3) == group
    assert len(loom.duplicates().items) == 1
    assert propose(loom, a=0) == group
    assert propose(loom, a=0, never=1) == group
    assert propose(loom, never=0) is None
    with pytest.raises(LoomError):
        loom.propose("odd", [(digest("a"), 0)])


def test_groups_do_not_grow_together_without_end(loom: Loom, tell: Tell) -> None:
    """Along a row of pictures of which each is like the two beside it."""
    row = "abcdefgh"
    for name in row:
        tell(name)
    for at, name in enumerate(row):
        beside = {row[other]: 5 for other in (at - 1, at + 1) if 0 <= other < len(row)}
        propose(loom, **{name: 0}, **beside)
    groups = [members(loom, group.uuid) for group in loom.duplicates().items]
    assert sorted(map(len, groups)) == [2, 2, 2, 2]
    assert len(set().union(*groups)) == len(row)


def test_who_is_like_the_first_of_a_group_comes_into_it_and_brings_along_who_is_in_none(loom: Loom, tell: Tell) -> None:
    for name in ("first", "second", "new", "single", "third", "fourth"):
        tell(name)
    group, other = propose(loom, second=0, first=2), propose(loom, fourth=0, third=2)
    assert propose(loom, new=0, third=5, first=4, single=6) == group
    assert members(loom, group) == {"first", "second", "new", "single"}
    assert members(loom, other) == {"third", "fourth"}


def test_who_is_like_a_follower_alone_stays_outside(loom: Loom, tell: Tell) -> None:
    for name in ("first", "second", "new"):
        tell(name)
    group = propose(loom, second=0, first=2)
    assert propose(loom, new=0, second=5) is None
    assert members(loom, group) == {"first", "second"}


def test_copies_of_watched_assets_are_proposed_as_they_turn_up(loom: Loom, tell: Tell) -> None:
    tell("a", SAME, copies=1)
    tell("b", PHASH, phash=value())
    assert loom.duplicates().items == []
    tell("a", place=b"/data/copy")
    tell("b", place=b"/data/copy of b")
    (group,) = loom.duplicates().items
    assert (group.kind, members(loom, group.uuid)) == ("exact", {"a", "copy"})
    tell("a", place=b"/data/third")
    assert loom.propose("exact", [(digest("a"), 0)]) == group.uuid
    assert len(loom.duplicates().items) == 1
    assert len(loom.duplicate(group.uuid).members) == 3
