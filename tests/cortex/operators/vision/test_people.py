"""Faces sorted by people, in whole ingests: real files, a real Loom, vectors as some node gives them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ingests import carry_out, definition, loom_in
from networks import embedder
from programs import age
from realmedia import RealMedia

from cortex.operators.vision.face_embedding import FaceEmbedding
from cortex.operators.vision.people import People
from cortex.testing import run_operator
from loom.errors import LoomError
from loom.service.loom import LocalLoom
from loom.steering import AssetQuery

pytest.importorskip("cv2", reason="pip install 'loom-cortex[vision]'")


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[LocalLoom]:
    with loom_in(tmp_path / "data") as loom:
        yield loom


@pytest.fixture
def folder(media: RealMedia, tmp_path: Path) -> Path:
    """The astronaut, twice and differently, once beside her mirror image, and a cup of coffee."""
    folder = tmp_path / "photos"
    folder.mkdir()
    astronaut = media.picture("astronaut")
    astronaut.save(folder / "1 astronaut.png")
    astronaut.resize((400, 400)).save(folder / "2 smaller.jpg")
    both = astronaut.resize((800, 400))
    both.paste(astronaut.resize((400, 400)), (0, 0))
    both.paste(astronaut.resize((400, 400)).transpose(0), (400, 0))
    both.save(folder / "3 both.png")
    shutil.copy(media.images["coffee"], folder / "4 coffee.png")
    (folder / "5 broken.png").write_bytes((folder / "1 astronaut.png").read_bytes()[:2000])
    age(folder)
    return folder


def pipeline(tmp_path: Path, **faces: Any) -> Any:
    model = embedder(tmp_path / "faces.onnx")
    return definition(
        "people",
        {"id": "faces", "operator": "vision.faces", "config": faces},
        {"id": "face-embedding", "operator": "vision.face-embedding", "config": {"model": model}},
        {"id": "people", "operator": "vision.people", "config": {"distance": 0.03}},
    )


def told(loom: LocalLoom) -> set[frozenset[tuple[str, int]]]:
    return {
        frozenset(
            (Path(face.asset.locations[0].path).name[0], face.number) for face in loom.person_faces(one.uuid).items
        )
        for one in loom.people().items
    }


def test_faces_of_one_person_come_together_and_stay_so(loom: LocalLoom, folder: Path, tmp_path: Path) -> None:
    story = carry_out(loom, folder, pipeline(tmp_path))
    assert story.nodes("people") == {"computed": 4, "skipped": 1}
    results = [result for asset in loom.assets().items for result in loom.asset_results(asset.uuid)]
    counts = sorted(result.outputs["count"] for result in results if result.operator == "vision.people")
    assert counts == [0, 1, 1, 2]
    first = loom.people().items
    mine = next(one for one in first if one.faces == 3)
    assert sorted(one.faces for one in first) == [1, 3], "the mirrored one is nobody's but its own"
    known = told(loom)
    for again, options in ((["*"], {}), ([], {"crops": 32})):
        carry_out(loom, folder, pipeline(tmp_path, **options), recompute=again)
        assert loom.people().items == first
        assert told(loom) == known
    loom.name_person(mine.uuid, "Eileen")
    assert len(loom.assets(AssetQuery(person="eileen")).items) == 3


def test_a_dry_run_lists_what_it_would_sort(loom: LocalLoom, folder: Path, tmp_path: Path) -> None:
    story = carry_out(loom, folder, pipeline(tmp_path), dry_run=True)
    listed = story.summary["would_write"]["effects"]
    assert {"sort 1 face by people", "sort 2 faces by people"} <= set(listed)
    assert loom.people().items == []


def test_without_vectors_nobody_is_told_and_without_loom_it_fails(media: RealMedia) -> None:
    for path in (media.images["coffee"], media.films["carphone_pristine"]):
        for given in ({}, {"vector": [], "model": []}, {"vector": [None], "model": [None]}):
            found = run_operator(People(), path, upstream={"face-embedding": given}).outputs
            assert (found["count"], found["new"]) == (0, 0)
            assert found["people"] == [None] * len(given.get("vector", []))
    with pytest.raises(LoomError, match="database"):
        run_operator(People(), media.photo(), upstream={"face-embedding": {"vector": [[1, 0]], "model": ["m"]}})
    assert run_operator(People(), media.paper("pdf"), upstream={"face-embedding": {}}).state == "SKIPPED"


def test_what_changes_vectors_changes_what_they_are_compared_with(tmp_path: Path) -> None:
    models = [embedder(tmp_path / name, numbers=numbers) for name, numbers in (("a.onnx", 64), ("b.onnx", 32))]
    plain, other = ({"model": model} for model in models)
    given = (plain, other, {**plain, "output": "vector"}, {**plain, "input": {"channels": "bgr"}})
    assert len({FaceEmbedding(**options).options.comparable for options in given}) == 4
    same = ({**plain, "min_quality": 0.5, "size": 512, "form": "list"}, plain)
    assert len({FaceEmbedding(**options).options.comparable for options in same}) == 1
