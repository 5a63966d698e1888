from __future__ import annotations

from typing import Any

import pytest

from cortex.operators.metadata.group_rules import Group, Thing, groups_of
from loom.model import Kind
from loom.verbs.beside import Neighbour, Shot

SECOND = 1_000_000
NOON = 1_715_947_200 * SECOND
XMP = "application/rdf+xml"


def thing(name: str, mime: str = "image/jpeg", **shot: Any) -> Thing:
    family = mime.split("/", maxsplit=1)[0]
    kind = Kind(family) if family in ("image", "video", "text") else Kind.TEXT
    return Thing(name.encode(), kind, mime, name.encode(), Shot(**shot))


def told(*things: Thing) -> set[tuple[str, bytes | None, frozenset[tuple[bytes, str]]]]:
    """The groups that any of these finds of which all lie in one folder."""
    found: dict[tuple[str, bytes | None], set[tuple[bytes, str]]] = {}
    for own in things:
        others = [
            Neighbour(one.asset, one.kind, one.mime, own.name, one.name, one.shot) for one in things if one != own
        ]
        for group in groups_of(own, others):
            found.setdefault((group.kind, group.anchor), set()).update(group.members)
    return {(kind, anchor, frozenset(members)) for (kind, anchor), members in found.items()}


def roles(*things: Thing) -> list[dict[str, str]]:
    return [{name.decode(): role for name, role in members} for _, _, members in sorted(told(*things), key=str)]


def seen(own: Thing, *others: Thing) -> list[Group]:
    return groups_of(own, [Neighbour(o.asset, o.kind, o.mime, own.name, o.name, o.shot) for o in others])


RAW = thing("img.cr2", "image/x-canon-cr2", camera="One", moment=NOON + 400_000)


def test_raw_and_picture() -> None:
    jpeg = thing("img.jpg", camera="One", moment=NOON)
    heic = thing("img.heic", "image/heic")
    assert roles(RAW, jpeg, heic) == [{"img.cr2": "raw", "img.jpg": "primary", "img.heic": "primary"}]
    assert [group.anchor for group in seen(jpeg, RAW)] == [group.anchor for group in seen(RAW, jpeg)] == [b"img.cr2"]


@pytest.mark.parametrize(
    "other",
    [
        thing("img.jpg", camera="Two", moment=NOON),
        thing("img.jpg", camera="One", moment=NOON + SECOND),
        thing("img-2.jpg", camera="One", moment=NOON),
        thing("img.dng", "image/x-adobe-dng", camera="One", moment=NOON),
        thing("img.mov", "video/quicktime", camera="One", moment=NOON),
        thing("img.txt", "text/plain"),
    ],
)
def test_no_raw_and_picture(other: Thing) -> None:
    assert told(RAW, other) == set()


def test_a_zone_counts_where_both_know_theirs() -> None:
    hour = 3600 * SECOND
    raw = RAW._replace(shot=Shot(moment=NOON + 2 * hour, zone=120))
    assert told(raw, thing("img.jpg", moment=NOON, zone=0))
    assert not told(raw, thing("img.jpg", moment=NOON, zone=60))
    assert not told(raw, thing("img.jpg", moment=NOON))


def film(name: str = "img.mov", seconds: float | None = 2.0, **shot: Any) -> Thing:
    return thing(name, "video/quicktime", duration_ms=None if seconds is None else round(seconds * 1000), **shot)


def test_live_photos() -> None:
    still = thing("img.heic", "image/heic", moment=NOON)
    wanted = [{"img.heic": "primary", "img.mov": "film"}]
    assert roles(still, film(moment=NOON - 3 * SECOND)) == wanted
    assert roles(still, film(moment=NOON + 3 * SECOND, seconds=5)) == wanted
    for other in (
        film(moment=NOON - 3 * SECOND - 1), film(moment=NOON, seconds=5.001), film(), film(moment=NOON, seconds=None),
        film("other.mov", moment=NOON),
    ):  # fmt: skip
        assert told(still, other) == set()


def test_an_identifier_goes_before_name_and_time() -> None:
    still = thing("img.heic", "image/heic", moment=NOON, content_id="A")
    edited = thing("img_e.jpg", content_id="A")
    away = film("away.mov", seconds=60, content_id="A")
    wanted = [{"img.heic": "primary", "img_e.jpg": "primary", "away.mov": "film"}]
    assert roles(still, edited, away) == wanted
    assert told(still, film(moment=NOON, content_id="B")) == set()
    assert told(still, film(moment=NOON)) != set()


def side(name: str, **shot: Any) -> Thing:
    return thing(name, XMP, **shot)


@pytest.mark.parametrize(
    ("subject", "file", "belongs"),
    [
        (thing("img.jpg"), side("img.xmp"), True),
        (thing("img.jpg"), side("img.jpg.xmp"), True),
        (thing("img.jpg"), side("img.xmp", side_file_for="jpg"), True),
        (thing("img.jpg"), side("img.xmp", side_file_for="cr2"), False),
        (thing("IMG.CR2", "image/x-canon-cr2"), side("IMG.xmp", side_file_for="cr2"), True),
        (thing("img.jpg"), side("img.cr2.xmp"), False),
        (thing("img.mov", "video/quicktime"), side("img.xmp"), True),
        (thing("img.txt", "text/plain"), side("img.xmp"), False),
        (thing("img.heic", "image/heic"), thing("img.AAE", "text/xml"), True),
        (thing("img.mov", "video/quicktime"), thing("img.thm"), True),
        (thing("img.jpg"), thing("img.thm"), False),
        (thing("img.jpg"), thing("img.jpg.json", "text/json"), True),
        (thing("img.jpg"), thing("img.jpg.supplemental-metadata.json", "text/json"), True),
        (thing("img.jpg"), thing("img.json", "text/json"), False),
        (side("img.jpg.xmp"), side("img.jpg.xmp.xmp"), False),
    ],
)
def test_side_files(subject: Thing, file: Thing, *, belongs: bool) -> None:
    name, other = subject.name.decode(), file.name.decode()
    assert roles(subject, file) == ([{name: "primary", other: "side-file"}] if belongs else [])


def test_a_side_file_of_several_pictures_is_in_a_group_of_each() -> None:
    groups = told(thing("img.jpg"), RAW, side("img.xmp"))
    assert {(kind, anchor) for kind, anchor, _ in groups} == {
        ("side-file", b"img.jpg"), ("side-file", b"img.cr2"), ("raw", b"img.cr2")
    }  # fmt: skip


def test_the_picture_of_a_film_is_no_live_photo() -> None:
    assert {kind for kind, _, _ in told(film(moment=NOON), thing("img.thm", moment=NOON))} == {"side-file"}


def shots(*seconds: float, ending: str = "jpg", **more: Any) -> list[Thing]:
    given = {"camera": "One"} | more
    return [thing(f"{at}.{ending}", moment=NOON + round(s * SECOND), **given) for at, s in enumerate(seconds)]


def names(*things: Thing) -> list[list[str]]:
    return sorted(sorted(name.decode() for name, _ in members) for kind, _, members in told(*things) if kind == "burst")


def test_bursts() -> None:
    assert names(*shots(0, 1, 2)) == [["0.jpg", "1.jpg", "2.jpg"]]
    assert names(*shots(0, 0.1, 0.2, 1.2, 2.3)) == [["0.jpg", "1.jpg", "2.jpg", "3.jpg"]]
    assert names(*shots(0, 1)) == names(*shots(0, 1.001, 2)) == names(*shots(0, 1, 2, camera=None)) == []
    two = [*shots(0, 1), thing("2.jpg", camera="Two", moment=NOON)]
    assert names(*two) == []


def test_a_raw_file_and_its_picture_are_one_shot() -> None:
    assert names(*shots(0, 0.5), *shots(0, 0.5, ending="heic")) == []
    assert len(names(*shots(0, 0.5, 1), *shots(0, 0.5, 1, ending="heic"))[0]) == 6


def test_what_was_made_of_a_shot_is_no_other_shot() -> None:
    (shot,) = shots(0.25)
    assert names(shot, *(shot._replace(asset=name, name=name) for name in (b"small.jpg", b"web.jpg"))) == []


def test_an_identifier_makes_a_burst_whenever_it_was() -> None:
    marked = [thing(f"{number}.heic", "image/heic", burst_id="B") for number in range(3)]
    assert names(*marked) == [["0.heic", "1.heic", "2.heic"]]
    assert names(*marked[:2]) == []


def test_the_order_does_not_matter() -> None:
    things = [RAW, thing("img.jpg", camera="One", moment=NOON), film(moment=NOON), side("img.xmp"), *shots(0, 1, 2)]
    forward, backward = told(*things), told(*reversed(things))
    assert forward == backward
    assert {kind for kind, _, _ in forward} == {"raw", "live-photo", "side-file", "burst"}
