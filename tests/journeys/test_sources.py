"""Folders that are known by a name: wherever they lie, nothing is computed anew and nothing counts as deleted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import age

Cortex = Callable[..., Any]


def computed(summary: dict[str, Any]) -> int:
    return sum(counts["computed"] for counts in summary["nodes"].values())


def shown(cortex: Cortex, name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(cortex("sources", "show", name, "--json").out)
    return told


@pytest.fixture
def photos(cortex: Cortex, texts: Path) -> Path:
    """A source with a mark and two files, ingested."""
    assert cortex("sources", "add", texts, "--name", "photos").code == 0
    marked = cortex("sources", "mark", "photos", "--json")
    assert json.loads(marked.out)["marker"]["id"] == (texts / ".loom-source").read_text().strip()
    assert cortex("ingest", "--source", "photos", "--json").summary["assets"]["new"] == 2
    return texts


def test_a_folder_that_is_moved_is_neither_a_move_nor_a_deletion(cortex: Cortex, photos: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "pictures"
    moved.parent.mkdir()
    photos.rename(moved)
    would = cortex("ingest", moved, "--dry-run", "--json")
    assert f"photos lay at {photos} and lies at {moved} now; a dry run does not remember it" in would.err
    assert shown(cortex, "photos")["path"] == str(photos)
    done = cortex("ingest", moved, "--json")
    assert f"photos lay at {photos} and lies at {moved} now" in done.err
    counts = done.summary["assets"]
    assert (counts["unchanged"], counts["moved"], counts["new"], computed(done.summary)) == (2, 0, 0, 0)
    assert (done.code, done.summary["unreachable"]) == (0, [])
    told = cortex("show", moved / "one.txt").out
    assert str(moved / "one.txt") in told
    assert str(photos / "one.txt") not in told
    source = shown(cortex, "photos")
    assert (source["path"], source["state"], source["files"]) == (str(moved), "reachable", 2)


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--exclude", "*.tmp")], ids=["the same options", "options of its own"])
def test_a_source_in_another_one_is_looked_at_once(cortex: Cortex, photos: Path, options: tuple[str, ...]) -> None:
    inner = photos / "inner"
    inner.mkdir()
    (inner / "three.txt").write_text("the third")
    age(photos)
    assert cortex("sources", "add", inner, "--name", "inner", *options).code == 0
    for new in (1, 0):
        done = cortex("ingest", "--source", "photos", "--source", "inner", "--json")
        counts = [one["assets"] for one in done.of("summary")]
        assert (done.code, sum(one["seen"] for one in counts), sum(one["new"] for one in counts)) == (0, 3, new)
        assert done.err.count("The source inner lies in photos: its files are looked at once") == 1
    (inner / "three.txt").unlink()
    assert cortex("ingest", "--source", "photos", "--source", "inner", "--json").code in (0, 4)
    states = {name: shown(cortex, name)["files"] for name in ("photos", "inner")}
    assert states["photos"] == 2 + states["inner"]


@pytest.mark.slow
def test_it_is_found_by_its_name_and_told_when_it_is_not(cortex: Cortex, photos: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "renamed"
    photos.rename(renamed)
    done = cortex("ingest", "--source", "photos", "--json")
    assert (done.code, done.summary["assets"]["unchanged"]) == (0, 2)
    away = tmp_path / "far" / "away"
    away.parent.mkdir()
    renamed.rename(away)
    gone = cortex("ingest", "--source", "photos", "--json")
    assert (gone.code, gone.error["code"]) == (4, "SOURCE_UNREACHABLE")
    assert "the source photos is not there" in gone.error["message"]
    assert "unreachable" in cortex("show", renamed / "one.txt").out
    other = tmp_path / "other"
    other.mkdir()
    (other / "new.txt").write_text("new")
    both = cortex("ingest", other, "--source", "photos", "--json")
    assert (both.code, both.summary["assets"]["new"]) == (4, 1)
    assert both.summary["unreachable"] == [str(renamed)]
    away.rename(renamed)
    back = cortex("ingest", "--source", "photos", "--json")
    assert (back.code, computed(back.summary), back.summary["assets"]["new"]) == (0, 0, 0)


def test_another_disk_in_its_place_takes_nothing_away(cortex: Cortex, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    photos.rename(tmp_path / "far" / "away")
    photos.mkdir()
    (photos / "stranger.txt").write_text("of another disk")
    age(photos)
    done = cortex("ingest", photos, "--json")
    assert (done.code, done.summary["assets"]["new"]) == (4, 1)
    (failure,) = done.of("failure")
    assert failure["code"] == "SOURCE_UNREACHABLE"
    assert failure["message"] == "what lies there is not marked as the source photos"
    assert "unreachable" in cortex("show", photos / "one.txt").out
    again = cortex("ingest", photos, "--json")
    assert (again.code, again.summary["assets"]["unchanged"]) == (4, 1)
    assert "unreachable" in cortex("show", photos / "one.txt").out


@pytest.mark.slow
def test_a_source_is_ingested_with_its_options(cortex: Cortex, photos: Path) -> None:
    options = ("--include", "*.txt", "--include", "*.jpg", "--exclude", "sub", "--pipeline", "ingest")
    assert cortex("sources", "add", photos, *options).code == 0
    told = cortex("sources", "show", "photos").out
    assert all(word in told for word in ("*.txt  *.jpg", "sub", "pipeline  ingest", ".loom-source"))
    done = cortex("ingest", "--source", "photos", "--json")
    assert done.summary["assets"]["seen"] == 1
    assert cortex("sources", "move", "photos", photos / "sub").code == 0
    assert str(photos / "sub") in cortex("sources").out
    assert json.loads(cortex("sources", "--json").out)["path"] == str(photos / "sub")
    assert cortex("sources", "remove", "photos").code == 0
    assert cortex("sources").out == "no sources\n"
    assert cortex("ingest", "--source", "photos").code == 1
    assert cortex("ingest", "--source", "photos", "--offline").code == 2


@pytest.mark.slow
@pytest.mark.usefixtures("remote")
def test_through_a_server_as_well(cortex: Cortex, photos: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    photos.rename(moved)
    done = cortex("ingest", moved, "--json")
    assert (done.summary["assets"]["unchanged"], computed(done.summary)) == (2, 0)
    assert shown(cortex, "photos")["files"] == 2
