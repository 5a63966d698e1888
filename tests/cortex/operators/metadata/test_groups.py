"""What belongs together, in whole ingests: real files, a real Loom."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from ingests import carry_out, definition, loom_in
from mediakit.pictures import Shot, save_jpeg
from mediakit.recordings import FilmFormat, write_film
from programs import age
from rawfiles import write_dng
from realmedia import RealMedia

from cortex.operators.metadata.groups import AssetGroup
from cortex.operators.sinks.xmptext import packet
from cortex.testing import run_operator
from loom.errors import LoomError
from loom.service.loom import LocalLoom
from loom.steering import AssetQuery

METADATA = {"id": "metadata", "operator": "media.metadata"}
TOGETHER = {"id": "together", "operator": "asset.group"}
PIPELINE = definition("together", METADATA, TOGETHER)
TAKEN = datetime(2024, 5, 17, 14, 3, 21)


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[LocalLoom]:
    with loom_in(tmp_path / "data") as loom:
        yield loom


@pytest.fixture
def folder(media: RealMedia, tmp_path: Path) -> Path:
    """A raw file with its picture and side file, a live photo, a burst of four, a note, and broken ones."""
    folder = tmp_path / "library"
    folder.mkdir()
    size = (300, 200)
    write_dng(folder / "IMG_1.dng", media.picture("coffee", size), taken=f"{TAKEN:%Y:%m:%d %H:%M:%S}")
    meadow = {"make": "Meadow", "model": "Meadow One"}
    save_jpeg(media.picture("coffee", size), folder / "IMG_1.JPG", Shot(taken=TAKEN, **meadow))
    (folder / "IMG_1.xmp").write_text(packet("0", {"title": "Espresso in Bologna", "keywords": ["crema"], "rating": 4}))
    for at in range(4):
        shot = Shot(taken=TAKEN + timedelta(hours=1, seconds=at / 2), **meadow)
        save_jpeg(media.picture("rocket", size), folder / f"IMG_2{at}.jpg", shot)
    shutil.copy(media.photo("chelsea", taken=TAKEN), folder / "IMG_3.jpg")
    write_film(folder / "IMG_3.mov", media.frames(24), FilmFormat(tags={"creation_time": f"{TAKEN.isoformat()}Z"}))
    shutil.copy(media.film("h264-silent"), folder / "IMG_1.mp4")
    (folder / "IMG_1.json").write_text("{}")
    (folder / "IMG_9.dng").write_bytes((folder / "IMG_1.dng").read_bytes()[:20])
    (folder / "IMG_9.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    age(folder)
    return folder


def groups(loom: LocalLoom) -> dict[str, set[frozenset[str]]]:
    found: dict[str, set[frozenset[str]]] = {}
    for asset in loom.assets().items:
        for group in loom.asset_groups(asset.uuid):
            names = (Path(member.asset.locations[0].path).name for member in group.members)
            found.setdefault(group.kind, set()).add(frozenset(names))
    return found


WANTED = {
    "live-photo": {frozenset({"IMG_3.jpg", "IMG_3.mov"})},
    "raw": {frozenset({"IMG_1.dng", "IMG_1.JPG"})},
    "side-file": {frozenset({name, "IMG_1.xmp"}) for name in ("IMG_1.dng", "IMG_1.JPG", "IMG_1.mp4")},
    "burst": {frozenset({"IMG_20.jpg", "IMG_21.jpg", "IMG_22.jpg", "IMG_23.jpg"})},
}


def test_groups_are_found_once_and_the_same_whatever_comes_first(loom: LocalLoom, folder: Path) -> None:
    later = folder.with_name("later")
    later.mkdir()
    for name in ("IMG_1.dng", "IMG_21.jpg", "IMG_22.jpg"):
        (folder / name).rename(later / name)
    carry_out(loom, folder, PIPELINE)
    sides = {frozenset({name, "IMG_1.xmp"}) for name in ("IMG_1.JPG", "IMG_1.mp4")}
    assert groups(loom) == {"side-file": sides, "live-photo": WANTED["live-photo"]}
    for path in later.iterdir():
        path.rename(folder / path.name)
    carry_out(loom, folder, PIPELINE)
    assert groups(loom) == WANTED
    known = {group.uuid for asset in loom.assets().items for group in loom.asset_groups(asset.uuid)}
    carry_out(loom, folder, PIPELINE, recompute=["*"])
    assert {group.uuid for asset in loom.assets().items for group in loom.asset_groups(asset.uuid)} == known
    assert groups(loom) == WANTED


def test_what_a_side_file_says_is_found_and_leads_to_the_picture(loom: LocalLoom, folder: Path) -> None:
    carry_out(loom, folder, PIPELINE)
    (side,) = loom.assets(AssetQuery(text="bologna")).items
    roles = {member.role for group in loom.asset_groups(side.uuid) for member in group.members}
    assert roles == {"primary", "side-file"}


def test_a_dry_run_lists_groups(loom: LocalLoom, folder: Path) -> None:
    carry_out(loom, folder, definition("first", METADATA))
    told = carry_out(loom, folder, PIPELINE, dry_run=True)
    listed = sorted(set(told.summary["would_write"]["effects"]))
    assert "group with 3 others: burst" in listed
    assert "group with 1 other: raw and picture" in listed
    assert groups(loom) == {}


def test_a_moved_member_stays(loom: LocalLoom, folder: Path) -> None:
    carry_out(loom, folder, PIPELINE)
    (folder / "raw").mkdir()
    (folder / "IMG_1.dng").rename(folder / "raw" / "IMG_1.dng")
    carry_out(loom, folder, PIPELINE)
    assert groups(loom)["raw"] == WANTED["raw"]


def test_without_loom_it_waits_and_other_kinds_are_left_alone(media: RealMedia, folder: Path) -> None:
    with pytest.raises(LoomError, match="database"):
        run_operator(AssetGroup(), media.photo(), upstream={"metadata": {}})
    for path in (media.sound("flac"), media.paper("txt"), media.paper("pdf")):
        assert run_operator(AssetGroup(), path, upstream={"metadata": {}}).state == "SKIPPED"
