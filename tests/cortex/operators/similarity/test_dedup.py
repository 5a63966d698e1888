"""What is put before people, in whole ingests: real files, a real Loom."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ingests import HOST, carry_out, definition, loom_in
from PIL import Image, ImageOps
from programs import age
from realmedia import RealMedia

from cortex.operators.similarity.dedup import ExactDuplicates, SimilarDuplicates
from cortex.operators.similarity.likeness import DISTANCES
from cortex.testing import run_operator
from loom.errors import LoomError
from loom.graph.definition import loads
from loom.service.loom import LocalLoom
from loom.settings import shipped
from loom.verbs.library import FINGERPRINTS

SAME = {"id": "same", "operator": "dedup.exact"}
PHASH = {"id": "phash", "operator": "image.phash"}
ALIKE = {"id": "alike", "operator": "dedup.similar", "config": {"of": "phash"}}


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[LocalLoom]:
    with loom_in(tmp_path / "data") as loom:
        yield loom


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "node", lambda: HOST)


@pytest.fixture
def folder(media: RealMedia, tmp_path: Path) -> Path:
    """Two pictures; of one a copy, a smaller version and a mirrored one; two of one colour."""
    folder = tmp_path / "library"
    folder.mkdir()
    shutil.copy(media.images["chelsea"], folder / "cat.png")
    shutil.copy(media.images["chelsea"], folder / "copy of cat.png")
    media.picture("chelsea", (225, 150)).save(folder / "small cat.jpg")
    ImageOps.mirror(media.picture("chelsea")).save(folder / "mirrored cat.webp")
    media.picture("coffee").save(folder / "cup.jpg")
    for name in ("grey", "red"):
        Image.new("RGB", (200, 100), name).save(folder / f"{name}.png")
    age(folder)
    return folder


def groups(loom: LocalLoom) -> set[tuple[str, frozenset[str]]]:
    return {
        (group.kind, frozenset(Path(at.path).name for member in group.members for at in member.locations))
        for group in loom.duplicates().items
    }


CATS = ("similar", frozenset({"cat.png", "copy of cat.png", "small cat.jpg", "mirrored cat.webp"}))
COPIES = ("exact", frozenset({"cat.png", "copy of cat.png"}))


def test_copies_and_what_is_alike_are_proposed_and_nothing_else(loom: LocalLoom, folder: Path) -> None:
    told = carry_out(loom, folder, definition("duplicates", SAME, PHASH, ALIKE))
    assert told.assets["completed"] == 7
    assert groups(loom) == {COPIES, CATS}
    before = {group.uuid for group in loom.duplicates().items}
    carry_out(loom, folder, definition("duplicates", SAME, PHASH, ALIKE), recompute=["*"])
    assert groups(loom) == {COPIES, CATS}
    assert {group.uuid for group in loom.duplicates().items} == before
    assert all(path.exists() for path in map(folder.joinpath, CATS[1]))


def test_what_comes_later_finds_what_was_there(loom: LocalLoom, folder: Path, media: RealMedia) -> None:
    pipeline = definition("duplicates", SAME, PHASH, ALIKE)
    carry_out(loom, folder, pipeline)
    shutil.copy(folder / "cup.jpg", folder / "cup again.jpg")
    media.picture("coffee", (300, 200)).save(folder / "small cup.jpg")
    age(folder)
    told = carry_out(loom, folder, pipeline)
    assert told.assets == {"seen": 9, "unchanged": 7, "new": 1, "moved": 1, "completed": 9}
    cups = frozenset({"cup.jpg", "cup again.jpg"})
    assert groups(loom) == {COPIES, CATS, ("exact", cups), ("similar", cups | {"small cup.jpg"})}


def test_a_dry_run_lists_what_it_would_propose(loom: LocalLoom, folder: Path) -> None:
    pipeline = definition("duplicates", SAME, PHASH, ALIKE)
    nothing = carry_out(loom, folder, pipeline, dry_run=True)
    assert nothing.summary["would_write"]["effects"] == []
    carry_out(loom, folder, definition("hashes", PHASH))
    told = carry_out(loom, folder, pipeline, dry_run=True)
    assert sorted(set(told.summary["would_write"]["effects"])) == [
        "propose 2 assets that are similar", "propose 2 files of the same content"
    ]  # fmt: skip
    assert loom.duplicates().items == []


def test_what_people_rejected_is_not_proposed_again(loom: LocalLoom, folder: Path) -> None:
    pipeline = definition("duplicates", SAME, PHASH, ALIKE)
    carry_out(loom, folder, pipeline)
    for group in loom.duplicates().items:
        loom.reject_duplicate(group.uuid)
    carry_out(loom, folder, pipeline, recompute=["*"])
    assert loom.duplicates(state="PENDING").items == []


def test_the_distance_decides(loom: LocalLoom, folder: Path) -> None:
    strict = {**ALIKE, "config": {"of": "phash", "distance": 0}}
    carry_out(loom, folder, definition("duplicates", PHASH, strict))
    assert len(groups(loom)) <= 1
    apart = {result.outputs["nearest"] for asset in loom.assets().items for result in loom.asset_results(asset.uuid)
             if "nearest" in result.outputs}  # fmt: skip
    assert apart <= {None, 0}


def test_without_loom_they_wait(media: RealMedia) -> None:
    for node in (ExactDuplicates(), SimilarDuplicates(of="phash")):
        with pytest.raises(LoomError, match="database"):
            run_operator(node, media.images["chelsea"], upstream={"phash": {"phash": "f" * 16, "quality": 90}})


def test_every_kind_of_fingerprint_has_a_distance() -> None:
    assert DISTANCES.keys() == FINGERPRINTS.keys()


def test_the_pipeline_that_ships_finds_pictures_films_and_recordings(
    loom: LocalLoom, folder: Path, media: RealMedia
) -> None:
    for path in (*map(media.film, ("h264", "mpeg4", "h264-silent")), media.sound("flac"), media.sound("opus")):
        shutil.copy(path, folder)
    age(folder)
    shipped_pipeline: dict[str, Any] = loads(shipped("pipelines/duplicates.yaml"), "yaml").document()
    told = carry_out(loom, folder, shipped_pipeline)
    assert told.assets["completed"] == 12
    films = ("similar", frozenset({"h264.mp4", "mpeg4.avi", "h264-silent.mp4"}))
    sounds = ("similar", frozenset({"flac.flac", "opus.opus"}))
    assert groups(loom) == {COPIES, CATS, films, sounds}
