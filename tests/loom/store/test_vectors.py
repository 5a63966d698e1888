"""Vectors in memory follow what is in the database, and nothing is left of faces whose results are gone."""

from __future__ import annotations

import json
import math
from uuid import UUID

import numpy as np
import pytest
from ledgers import HOST, begin, digest, found, report
from sqlalchemy import text

from loom.model import Branch, State, StepRef, StoredResult, asset_uuid
from loom.people import FaceAt
from loom.service import LocalLoom
from loom.store import vectorindex
from loom.store.vectorindex import Near, Vectors
from loom.store.vectors import bits_of, directions

WHO = StepRef("who", "vision.face-embedding", "2", digest("step who"))
LOOKS = StepRef("looks", "vision.embedding", "2", digest("step looks"))
MODEL = "0123456789abcdef"


@pytest.fixture
def run(looms: list[LocalLoom]) -> UUID:
    return begin(looms[0], steps=(WHO, LOOKS))


def at(degrees: float) -> list[float]:
    return [math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]


def tell(loom: LocalLoom, run: UUID, name: str, *degrees: float, step: StepRef = WHO) -> None:
    vectors = [at(one) for one in degrees]
    said = {"vector": vectors, "model": [MODEL] * len(vectors)} if step is WHO else {"vector": vectors[0], "model": "m"}
    given = StoredResult(step.signature, State.COMPLETED, Branch.PASS, json.dumps(said).encode())
    loom.report(run, [report(name, found(b"/data/" + name.encode()), results=[given])])


def sort(loom: LocalLoom, run: UUID, name: str, *degrees: float) -> list[UUID | None]:
    tell(loom, run, name, *degrees)
    told = loom.sort_faces(digest(name), MODEL, [at(one) for one in degrees], 0.5)
    return [None if one is None else one.person for one in told]


def write(loom: LocalLoom, *statements: str) -> None:
    with loom._database.write() as connection:
        for statement in statements:
            connection.execute(text(statement))


def rows(loom: LocalLoom, table: str) -> int:
    with loom._database.read() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_what_another_process_sorts_names_and_removes_is_seen(looms: list[LocalLoom], run: UUID) -> None:
    one, other = looms
    (anna,) = sort(one, run, "a", 0)
    assert sort(other, run, "b", 10, 180)[0] == anna
    assert sort(one, run, "c", 170) == [sort(other, run, "b", 10, 180)[1]]
    write(other, f"DELETE FROM results WHERE asset = (SELECT id FROM assets WHERE blake3 = {_literal(other, 'a')})")
    write(other, f"DELETE FROM results WHERE asset = (SELECT id FROM assets WHERE blake3 = {_literal(other, 'b')})")
    (again,) = sort(one, run, "d", 0)
    assert again != anna, "none of their faces is there any more"
    assert {person.faces for person in one.people().items} == {1}


def _literal(loom: LocalLoom, name: str) -> str:
    hexadecimal = digest(name).hex()
    return f"x'{hexadecimal}'" if loom._database.path is not None else f"'\\x{hexadecimal}'::bytea"


def test_what_another_process_stores_and_removes_is_alike_or_not(looms: list[LocalLoom], run: UUID) -> None:
    one, other = looms
    for name in "abc":
        tell(one, run, name, 10.0 * ord(name), step=LOOKS)
    assert [alike(loom) for loom in looms] == [["b", "c"]] * 2
    write(one, f"DELETE FROM results WHERE asset = (SELECT id FROM assets WHERE blake3 = {_literal(one, 'b')})")
    tell(other, run, "d", 0.0, step=LOOKS)
    assert sorted(alike(one)) == sorted(alike(other)) == ["c", "d"]


def alike(loom: LocalLoom) -> list[str]:
    found = loom.asset_alike(asset_uuid(digest("a")), limit=2)
    return [one.asset.locations[0].path[-1] for one in found]


def test_of_pruned_results_no_people_are_left(looms: list[LocalLoom], run: UUID) -> None:
    loom = looms[0]
    (anna,) = sort(loom, run, "a", 0)
    sort(loom, run, "b", 10)
    assert anna is not None
    loom.name_person(anna, "Anna")
    loom.split_person(anna, [FaceAt(asset=asset_uuid(digest("b")), number=1)])
    assert (rows(loom, "people"), rows(loom, "people_apart")) == (2, 1)
    write(loom, "UPDATE pipelines SET current = NULL")
    loom.prune(grace_us=0)
    assert [rows(loom, table) for table in ("vectors", "people", "people_apart")] == [0, 0, 0]


def test_the_first_ones_are_asked_for_again_where_those_that_are_near_lie_nowhere(
    looms: list[LocalLoom], run: UUID
) -> None:
    for number in range(20):
        tell(looms[0], run, f"gone {number}", number / 10, step=LOOKS)
    looms[0].mark_missing(HOST, [(b"/data", b"gone %d" % number) for number in range(20)])
    tell(looms[0], run, "a", 0, step=LOOKS)
    tell(looms[0], run, "z", 90, step=LOOKS)
    assert alike(looms[0]) == ["z"]


def test_answers_are_those_of_comparing_all_in_any_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after some were dropped from several blocks."""
    monkeypatch.setattr(vectorindex, "_BLOCK_BYTES", 4 * 8 * 7)
    chance = np.random.default_rng(3)
    given = [chance.normal(size=8) for _ in range(50)]
    bits = [bits_of(one.tolist()) for one in given]
    kept = Vectors()
    assert not kept.fits(np.ones(8))
    for first in range(0, 50, 9):
        kept.add([(10 * number, bits[number]) for number in range(first, min(first + 9, 50))])
    kept.add([(1000, b"ab")])
    gone = {0, 60, 70, 130, 490}
    kept.drop(sorted(gone))
    kept.drop([5, 2000])
    asked = directions([bits[7]])[0]
    all_of_them = [(round(float(1 - one @ asked), 6), 10 * at) for at, one in enumerate(directions(bits))]
    expected = [Near(number, max(apart, 0.0)) for apart, number in sorted(all_of_them) if number not in gone]
    for most, distance in ((100, 2.0), (5, 2.0), (100, 0.7)):
        wanted = [one for one in expected if one.distance <= distance][:most]
        assert [one.number for one in kept.near(asked, most, distance)] == [one.number for one in wanted]
    assert kept.near(asked, 1, 2.0)[0].distance == pytest.approx(expected[0].distance, abs=2e-6)
    assert set(kept.rows([0, 10, 20, 60, 3000])) == {10, 20}
    assert kept.near(np.ones(4, np.float32), 5, 2.0) == []
