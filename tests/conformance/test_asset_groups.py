from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from ledgers import HOST, begin, digest, found, report

from loom.errors import LoomError
from loom.model import Branch, Kind, State, StepRef, StoredResult, asset_uuid
from loom.verbs import Loom, Neighbour, Shot
from loom.verbs.beside import MOST_GROUPED

METADATA = StepRef("metadata", "media.metadata", "1", digest("step metadata"))
AT = "2024-05-17T14:03:21"

Tell = Callable[..., None]


@pytest.fixture
def run(loom: Loom) -> UUID:
    return begin(loom, steps=(METADATA,))


@pytest.fixture
def tell(loom: Loom, run: UUID) -> Tell:
    """Says that an asset named by its path below `/data` lies there, and what its metadata tell."""

    def tell(name: str, *more: str, mime: str = "image/jpeg", kind: Kind = Kind.IMAGE, **outputs: Any) -> None:
        given = StoredResult(METADATA.signature, State.COMPLETED, Branch.PASS, json.dumps(outputs).encode())
        places = [found(b"/data/" + place.encode()) for place in (name, *more)]
        loom.report(run, [report(name, *places, results=[given], mime=mime, kind=kind)])

    return tell


def beside(loom: Loom, name: str) -> list[tuple[str, str]]:
    """The names of both, sorted."""
    return sorted((one.own_name.decode(), one.name.decode()) for one in loom.beside(digest(name)))


def test_what_lies_there_under_the_same_name(loom: Loom, tell: Tell) -> None:
    for name in ("img_1.cr2", "img_1.jpg", "img_1.cr2.xmp", "img_1", "img_10.jpg", "img_1-2.jpg"):
        tell(f"a/{name}")
    tell("b/img_1.jpg")
    assert beside(loom, "a/img_1.cr2") == [
        ("img_1.cr2", "img_1"), ("img_1.cr2", "img_1.cr2.xmp"), ("img_1.cr2", "img_1.jpg")
    ]  # fmt: skip
    assert beside(loom, "a/img_1.cr2.xmp") == [("img_1.cr2.xmp", "img_1.cr2")]
    assert beside(loom, "b/img_1.jpg") == []
    assert loom.beside(digest("never")) == []
    loom.mark_missing(HOST, [(b"/data/a", b"img_1.jpg"), (b"/data/a", b"img_1")])
    assert beside(loom, "a/img_1.cr2") == [("img_1.cr2", "img_1.cr2.xmp")]


def test_what_is_told_of_it(loom: Loom, tell: Tell) -> None:
    tell("img.heic", camera_make="Apple", camera_model="iPhone 7", captured_at=f"{AT}.250+02:00", content_id="X-1")
    tell("img.mov", mime="video/quicktime", kind=Kind.VIDEO, duration_s=2.5, content_id="X-1", captured_at=AT)
    tell("img.xmp", mime="application/rdf+xml", kind=Kind.TEXT, side_file_for="HEIC", burst_id=7, captured_at="never")
    moment = 1_715_954_601_000_000
    film = Shot(moment=moment, duration_ms=2500, content_id="X-1")
    side = Shot(side_file_for="heic")
    assert set(loom.beside(digest("img.heic"))) == {
        Neighbour(digest("img.mov"), Kind.VIDEO, "video/quicktime", b"img.heic", b"img.mov", film),
        Neighbour(digest("img.mov"), Kind.VIDEO, "video/quicktime", b"", b"", film),
        Neighbour(digest("img.xmp"), Kind.TEXT, "application/rdf+xml", b"img.heic", b"img.xmp", side),
    }
    (still,) = {one.shot for one in loom.beside(digest("img.mov")) if one.asset == digest("img.heic")}
    assert still == Shot("Apple iPhone 7", moment + 250_000, 120, None, "X-1", None, None)


def test_who_was_taken_just_before_or_after_it(loom: Loom, tell: Tell) -> None:
    mine = {"camera_make": "Meadow", "camera_model": "One"}
    for number, seconds in enumerate(("19", "19.500", "21", "23", "23.001")):
        tell(f"{number}.jpg", captured_at=f"2024-05-17T14:03:{seconds}", **mine)
    tell("other.jpg", captured_at=AT, camera_make="Meadow", camera_model="Two")
    tell("elsewhere/2.jpg", captured_at=AT, **mine)
    assert [name for _, name in beside(loom, "2.jpg")] == ["0.jpg", "1.jpg", "3.jpg"]
    assert beside(loom, "elsewhere/2.jpg") == []


def test_who_has_the_same_identifier_wherever_it_lies(loom: Loom, tell: Tell) -> None:
    for name in ("a/1.jpg", "b/2.jpg", "c/3.jpg"):
        tell(name, burst_id="B-1")
    tell("d/4.jpg", burst_id="B-2")
    assert {one.asset for one in loom.beside(digest("a/1.jpg"))} == {digest("b/2.jpg"), digest("c/3.jpg")}
    loom.mark_missing(HOST, [(b"/data/b", b"2.jpg")])
    assert [one.asset for one in loom.beside(digest("a/1.jpg"))] == [digest("c/3.jpg")]


def grouped(loom: Loom, name: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Of each group of an asset its kind, and the members' roles and names."""
    return [
        (group.kind, [(one.role, one.asset.locations[0].path.removeprefix("/data/")) for one in group.members])
        for group in loom.asset_groups(asset_uuid(digest(name)))
    ]


def test_a_group_of_an_anchor_is_made_once_and_grows(loom: Loom, tell: Tell) -> None:
    for name in ("1.cr2", "1.jpg", "1.heic", "2.cr2"):
        tell(name)
    raw, jpeg, heic, other = map(digest, ("1.cr2", "1.jpg", "1.heic", "2.cr2"))
    first = loom.group("raw", raw, [(raw, "raw"), (jpeg, "primary")])
    assert loom.group("raw", raw, [(heic, "primary"), (raw, "raw")]) == first
    assert loom.group("raw", raw, [(raw, "raw"), (jpeg, "primary")]) == first
    wanted = ("raw", [("primary", "1.heic"), ("primary", "1.jpg"), ("raw", "1.cr2")])
    assert grouped(loom, "1.cr2") == grouped(loom, "1.jpg") == [wanted]
    assert loom.group("raw", other, [(other, "raw"), (jpeg, "primary")]) != first
    assert loom.group("side-file", raw, [(raw, "primary"), (heic, "side-file")]) != first
    assert len(grouped(loom, "1.jpg")) == 2


def test_groups_without_an_anchor_become_one_where_they_share_a_member(loom: Loom, tell: Tell) -> None:
    for name in "abcdefg":
        tell(name)

    def shots(names: str) -> UUID | None:
        return loom.group("burst", None, [(digest(name), "shot") for name in names])

    first = shots("abc")
    assert shots("efg") != first
    assert shots("cde") == first == shots("efg")
    assert grouped(loom, "g") == [("burst", [("shot", name) for name in "abcdefg"])]


def test_members_follow_their_assets_and_are_not_shown_when_they_lie_nowhere(loom: Loom, tell: Tell) -> None:
    for name in ("1.cr2", "1.jpg"):
        tell(name)
    raw, jpeg = digest("1.cr2"), digest("1.jpg")
    loom.group("raw", raw, [(raw, "raw"), (jpeg, "primary")])
    loom.mark_missing(HOST, [(b"/data", b"1.jpg")])
    assert grouped(loom, "1.cr2") == []
    tell("1.jpg", "moved/elsewhere.jpg")
    loom.mark_missing(HOST, [(b"/data", b"1.jpg")])
    (group,) = loom.asset_groups(asset_uuid(raw))
    assert [place.state for place in group.members[0].asset.locations].count("present") == 1


def test_what_is_not_known_is_passed_over_and_what_cannot_be_is_refused(loom: Loom, tell: Tell) -> None:
    tell("a")
    tell("b")
    a, b, never = digest("a"), digest("b"), digest("never")
    assert loom.group("raw", a, [(a, "raw"), (never, "primary")]) is None
    assert loom.group("raw", never, [(a, "raw"), (b, "primary"), (never, "primary")]) is None
    many = [(digest(str(number)), "shot") for number in range(MOST_GROUPED + 1)]
    for said in (
        ("pair", a, [(a, "raw"), (b, "primary")]),
        ("raw", a, [(a, "friend"), (b, "primary")]),
        ("raw", a, [(b, "raw")]),
        ("burst", None, many),
    ):
        with pytest.raises(LoomError) as refused:
            loom.group(*said)  # type: ignore[arg-type]
        assert refused.value.code == "REQUEST_INVALID"
    with pytest.raises(LoomError) as refused:
        loom.asset_groups(asset_uuid(never))
    assert refused.value.code == "NOT_FOUND"
    assert loom.asset_groups(asset_uuid(a)) == []
