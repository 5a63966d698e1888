"""Faces are sorted by people, who are named, joined and split; assets are found by vectors that are near."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from ledgers import HOST, begin, digest, found, report

from loom.errors import LoomError
from loom.model import Branch, State, StepRef, StoredResult, asset_uuid
from loom.people import FaceAt
from loom.steering import AssetQuery
from loom.verbs import Loom

WHO = StepRef("who", "vision.face-embedding", "2", digest("step who"))
OTHERWISE = StepRef("who", "vision.face-embedding", "2", digest("step who otherwise"))
LOOKS = StepRef("looks", "vision.embedding", "2", digest("step looks"))
SAYS = StepRef("says", "text.embedding", "2", digest("step says"))
MODEL = "0123456789abcdef"
NEVER = UUID(int=1)

Tell = Callable[..., None]
Sort = Callable[..., list[UUID | None]]


@pytest.fixture
def run(loom: Loom) -> UUID:
    return begin(loom, steps=(WHO, OTHERWISE, LOOKS, SAYS))


@pytest.fixture
def tell(loom: Loom, run: UUID) -> Tell:
    """Says that an asset lies at `/data/<name>`, and what a step gave."""

    def tell(name: str, step: StepRef, vector: Any, model: Any = MODEL) -> None:
        outputs = json.dumps({"vector": vector, "model": model}).encode()
        given = StoredResult(step.signature, State.COMPLETED, Branch.PASS, outputs)
        loom.report(run, [report(name, found(b"/data/" + name.encode()), results=[given])])

    return tell


@pytest.fixture
def sort(loom: Loom, tell: Tell) -> Sort:
    """Stores the vectors of the faces of an asset, and sorts them; who they are of."""

    def sort(name: str, *vectors: Any, step: StepRef = WHO, distance: float = 0.5) -> list[UUID | None]:
        tell(name, step, list(vectors), [MODEL if vector is not None else None for vector in vectors])
        told = loom.sort_faces(digest(name), MODEL, vectors, distance)
        return [None if one is None else one.person for one in told]

    return sort


def at(degrees: float) -> list[float]:
    """Vectors of so many degrees have the distance 1 less the cosine: 60 degrees are 0.5."""
    return [math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), 0.0, 0.0]


def packed(vector: Sequence[float], length: float = 1.0) -> str:
    return base64.b64encode((np.array(vector) * length).astype("<f2").tobytes()).decode()


def faces(loom: Loom, person: UUID | None) -> list[tuple[str, int]]:
    assert person is not None
    return [(face.asset.locations[0].path.rpartition("/")[2], face.number) for face in loom.person_faces(person).items]


def test_a_face_goes_to_whom_it_is_near_and_another_to_somebody_new(loom: Loom, sort: Sort) -> None:
    (anna,) = sort("a", at(0))
    assert sort("b", at(50), None, at(180)) == [anna, None, (ben := loom.asset_people(uuid("b"))[1].person)]
    assert ben != anna
    assert faces(loom, anna) == [("a", 1), ("b", 1)]
    assert faces(loom, ben) == [("b", 3)]
    told = loom.people().items
    assert [(one.uuid, one.name, one.faces, one.assets) for one in told] == [(anna, None, 2, 2), (ben, None, 1, 1)]
    assert [(face.number, face.person) for face in loom.asset_people(uuid("b"))] == [(1, anna), (3, ben)]


def test_new_people_are_told_from_known_ones(loom: Loom, tell: Tell) -> None:
    for name, new in (("a", True), ("b", False)):
        tell(name, WHO, [at(0)], [MODEL])
        assert [one and one.is_new for one in loom.sort_faces(digest(name), MODEL, [at(0)], 0.5)] == [new]


def test_the_mean_over_the_nearest_faces_counts(sort: Sort) -> None:
    """One that is near a single face of somebody is of another, or else all would hang together in a chain."""
    first = [sort(str(degrees), at(degrees))[0] for degrees in (0, 20, 40)]
    assert len(set(first)) == 1
    assert sort("between", at(75), distance=0.5) == [first[0]]
    assert sort("far", at(130), distance=0.5) != [first[0]], "but 55 degrees from the nearest"


def test_form_and_length_of_vectors_do_not_matter(sort: Sort) -> None:
    (anna,) = sort("a", packed(at(0)))
    assert sort("huge", [1e300 * value for value in at(10)]) == sort("tiny", [1e-300, 0, 0, 0]) == [anna]
    assert sort("b", packed(at(10), 500), [10 * value for value in at(20)]) == [anna, anna]


def test_to_sort_again_changes_nothing(loom: Loom, sort: Sort) -> None:
    sort("a", at(0), at(90))
    sort("b", at(10), at(100))
    before = loom.people().items, loom.asset_people(uuid("a"))
    for _ in range(2):
        sort("a", at(0), at(90))
        sort("b", at(10), at(100))
    assert (loom.people().items, loom.asset_people(uuid("a"))) == before


def test_faces_that_are_found_anew_take_the_places_of_the_earlier_ones(loom: Loom, sort: Sort) -> None:
    """By a node with other options, in another order, and one is not found any more."""
    anna, ben, _ = sort("a", at(0), at(90), at(180))
    loom.name_person(ben or NEVER, "Ben")
    assert sort("a", at(91), at(1), step=OTHERWISE) == [ben, anna]
    assert {one.uuid: one.faces for one in loom.people().items} == {anna: 1, ben: 1}
    assert faces(loom, ben) == [("a", 1)]


def test_people_who_turn_out_to_be_one_are_joined(loom: Loom, sort: Sort) -> None:
    (left,), (right,) = sort("left", at(0)), sort("right", at(70))
    assert left != right
    assert sort("between", at(35)) == [left]
    assert faces(loom, left) == [("left", 1), ("right", 1), ("between", 1)]
    assert [one.uuid for one in loom.people().items] == [left]
    with pytest.raises(LoomError):
        loom.person(right or NEVER)


def test_people_with_different_names_are_not_joined_and_a_name_is_kept(loom: Loom, sort: Sort) -> None:
    sort("left", at(0))
    (right,) = sort("right", at(70))
    loom.name_person(right or NEVER, "Ruth")
    assert sort("between", at(34)) == [right], "the one with the name stays"
    (other,) = sort("other", at(140))
    loom.name_person(other or NEVER, "Otto")
    sort("there", at(105))
    assert {one.name for one in loom.people().items} == {"Ruth", "Otto"}


def test_who_was_split_stays_apart(loom: Loom, sort: Sort) -> None:
    (anna,) = sort("a", at(0))
    assert sort("b", at(30)) == sort("c", at(31)) == [anna]
    twin = loom.split_person(anna or NEVER, [FaceAt(asset=uuid("b"), number=1), FaceAt(asset=uuid("c"), number=1)])
    assert faces(loom, twin.uuid) == [("b", 1), ("c", 1)]
    assert (twin.faces, twin.assets, twin.name) == (2, 2, None)
    assert sort("b", at(30)) == [twin.uuid]
    sort("d", at(15))
    assert len(loom.people().items) == 2
    merged = loom.merge_people(anna or NEVER, [twin.uuid, twin.uuid])
    assert (merged.uuid, merged.faces) == (anna, 4)
    assert [one.uuid for one in loom.people().items] == [anna]


def test_who_is_joined_stays_apart_from_whom_the_other_was_split(loom: Loom, sort: Sort) -> None:
    (anna,) = sort("a", at(0))
    sort("b", at(30))
    twin = loom.split_person(anna or NEVER, [FaceAt(asset=uuid("b"), number=1)])
    (third,) = sort("c", at(180))
    loom.merge_people(third or NEVER, [twin.uuid])
    sort("d", at(15))
    assert len(loom.people().items) == 2


def test_names_are_found_whatever_the_case(loom: Loom, sort: Sort) -> None:
    (anna,), (ben,) = sort("a", at(0)), sort("b", at(180))
    assert loom.name_person(anna or NEVER, " Änne ").name == "Änne"
    assert [one.uuid for one in loom.people(name="äNNE").items] == [anna]
    for asked in ("änne", str(anna)):
        assert [item.uuid for item in loom.assets(AssetQuery(person=asked)).items] == [uuid("a")]
    assert loom.merge_people(ben or NEVER, [anna or NEVER]).name == "Änne"
    assert len(loom.assets(AssetQuery(person="Änne")).items) == 2
    assert loom.name_person(ben or NEVER, None).name is None
    assert loom.assets(AssetQuery(person="Änne")).items == loom.people(name="Änne").items == []


def test_people_come_in_pages_those_with_the_most_faces_first(loom: Loom, sort: Sort) -> None:
    for degrees in (0, 120, 120, 240, 240):
        sort(f"{degrees} {len(loom.assets().items)}", at(degrees))
    counted = [one.faces for one in loom.people().items]
    assert counted == [2, 2, 1]
    seen, cursor = [], None
    for _ in counted:
        page = loom.people(limit=1, cursor=cursor)
        seen += page.items
        cursor = page.next
    assert (seen, cursor) == (loom.people().items, None)
    first = loom.person_faces(seen[0].uuid, limit=1)
    second = loom.person_faces(seen[0].uuid, limit=1, cursor=first.next)
    assert [*first.items, *second.items] == loom.person_faces(seen[0].uuid).items
    assert second.next is None


def test_what_lies_nowhere_is_not_shown(loom: Loom, sort: Sort) -> None:
    (anna,), (ben,) = sort("a", at(0)), sort("b", at(180))
    sort("c", at(0))
    loom.mark_missing(HOST, [(b"/data", b"a"), (b"/data", b"b")])
    assert [(one.uuid, one.faces) for one in loom.people().items] == [(anna, 1)]
    assert faces(loom, anna) == [("c", 1)]
    with pytest.raises(LoomError):
        loom.person(ben or NEVER)


def test_vectors_that_are_replaced_are_compared_no_more(loom: Loom, tell: Tell, sort: Sort) -> None:
    (anna,) = sort("a", at(0))
    assert sort("a", at(180)) != [anna]
    assert [one.faces for one in loom.people().items] == [1]
    tell("a", WHO, [])
    assert loom.people().items == loom.asset_people(uuid("a")) == []
    assert loom.sort_faces(digest("a"), MODEL, [at(180)], 0.5) == [None], "it is not stored"
    assert loom.sort_faces(digest("never"), MODEL, [at(0)], 0.5) == [None]


def test_models_are_not_mixed(loom: Loom, tell: Tell, sort: Sort) -> None:
    (anna,) = sort("a", at(0))
    tell("b", WHO, [at(0)], ["another"])
    (told,) = loom.sort_faces(digest("b"), "another", [at(0)], 0.5)
    assert told is not None
    assert told.person != anna


@pytest.mark.parametrize(
    "vector",
    [None, [], "no base64", "AAA", [0, 0], [1, "x"], {"a": 1}, [[1, 0]], "AHwAAA==", [10**400], 7, True],
)
def test_what_is_no_vector_is_passed_over(loom: Loom, tell: Tell, vector: Any) -> None:
    tell("a", WHO, [vector, at(0)], [MODEL, MODEL])
    tell("b", LOOKS, vector)
    tell("c", LOOKS, at(0), 7)
    tell("d", WHO, vector)
    (sorted_,) = [one for one in loom.sort_faces(digest("a"), MODEL, [None, at(0)], 0.5) if one]
    assert sorted_.is_new
    assert loom.asset_alike(uuid("b")) == loom.asset_alike(uuid("c")) == []


def test_what_cannot_be_asked_or_said_is_refused(loom: Loom, sort: Sort) -> None:
    (anna,) = sort("a", at(0))
    assert anna is not None
    own, other = FaceAt(asset=uuid("a"), number=1), FaceAt(asset=uuid("a"), number=2)
    for wrong in (
        lambda: loom.sort_faces(digest("a"), MODEL, [], 2.1),
        lambda: loom.sort_faces(digest("a"), MODEL, [None] * 1001, 0.5),
        lambda: loom.name_person(anna, " "),
        lambda: loom.name_person(anna, "x" * 201),
        lambda: loom.split_person(anna, [own]),
        lambda: loom.split_person(anna, [other]),
        lambda: loom.asset_alike(uuid("a"), distance=-1),
        lambda: loom.asset_alike(uuid("a"), limit=501),
    ):
        with pytest.raises(LoomError) as refused:
            wrong()
        assert refused.value.code == "REQUEST_INVALID"
    for unknown in (
        lambda: loom.person(NEVER),
        lambda: loom.person_faces(NEVER),
        lambda: loom.name_person(NEVER, "x"),
        lambda: loom.merge_people(anna, [NEVER]),
        lambda: loom.split_person(NEVER, [own]),
        lambda: loom.asset_people(NEVER),
        lambda: loom.asset_alike(NEVER),
    ):
        with pytest.raises(LoomError) as refused:
            unknown()
        assert refused.value.code == "NOT_FOUND"


def test_assets_are_found_that_a_model_takes_for_alike(loom: Loom, tell: Tell) -> None:
    for name, degrees in (("a", 0), ("near", 20), ("far", 90), ("gone", 10)):
        tell(name, LOOKS, packed(at(degrees)))
    tell("other model", LOOKS, at(0), "another")
    tell("other numbers", LOOKS, [1.0, 0.0])
    for name in ("a", "far"):
        tell(name, SAYS, at(0))
    loom.mark_missing(HOST, [(b"/data", b"gone")])
    assert alike(loom, "a") == [("near", 0.06), ("far", 1.0)]
    assert alike(loom, "a", distance=0.1) == alike(loom, "a", limit=1) == [("near", 0.06)]
    assert alike(loom, "a", of="text.embedding") == [("far", 0.0)]
    assert alike(loom, "near", of="text.embedding") == alike(loom, "other model") == []
    tell("near", LOOKS, packed(at(180)))
    assert alike(loom, "a") == [("far", 1.0), ("near", 2.0)]


def alike(loom: Loom, name: str, **asked: Any) -> list[tuple[str, float]]:
    return [
        (one.asset.locations[0].path.rpartition("/")[2], round(one.distance, 2))
        for one in loom.asset_alike(uuid(name), **asked)
    ]


def uuid(name: str) -> UUID:
    return asset_uuid(digest(name))
