from __future__ import annotations

import os
import shutil

import pytest
from ingests import HOST

from cortex.actions import applying
from loom.errors import LoomError


def lying(archive, path):
    places = archive.loom.asset_locations(archive.loom.asset_by_path(HOST, os.fsencode(path)).uuid)
    return {place.path: str(place.state) for place in places}


def whys(moved):
    return [one.why for one in moved]


both_disks = pytest.mark.parametrize("to", ["this disk", "another disk"], indirect=True)


@both_disks
def test_what_is_not_kept_goes_aside_under_its_whole_path(archive):
    group = archive.exact()
    bytes_before, times = archive.photo.read_bytes(), archive.photo.stat().st_mtime_ns
    (moved,) = archive.apply(group)
    aside = archive.aside(archive.photo)
    assert moved == (os.fsencode(archive.photo), os.fsencode(aside), None)
    assert (archive.photo.exists(), archive.copy.exists()) == (False, True)
    assert (aside.read_bytes(), aside.stat().st_mtime_ns) == (bytes_before, times)
    assert lying(archive, aside) == {str(archive.photo): "missing", str(archive.copy): "present", str(aside): "present"}
    (action,) = archive.loom.actions(duplicate=group.uuid).items
    assert (action.state, action.kind, action.origin_path, action.target_path) == (
        "DONE", "moved", os.fsencode(archive.photo), os.fsencode(aside)
    )  # fmt: skip
    assert archive.apply(group) == []


def test_nothing_is_computed_again_where_it_lies_now(archive):
    archive.ingest()
    archive.apply(archive.similar())
    again = archive.ingest()
    assert again.summary["assets"]["new"] == 0
    assert "computed" not in again.nodes("sum")


def test_a_dry_run_only_says_it(archive, files):
    group = archive.exact()
    before = files(archive.photo.parent)
    assert archive.apply(group, dry_run=True) == [
        (os.fsencode(archive.photo), os.fsencode(archive.aside(archive.photo)), None)
    ]
    assert (files(archive.photo.parent), files(archive.to)) == (before, [])
    assert archive.loom.actions().items == []


@pytest.mark.parametrize("verb", [None, "reject_duplicate", "reopen_duplicate"])
def test_only_what_people_confirmed_is_moved(archive, files, verb):
    uuid = archive.loom.propose("exact", [(archive.blake3(archive.photo), 0)])
    if verb is not None:
        getattr(archive.loom, verb)(uuid)
    with pytest.raises(LoomError, match="confirm it first"):
        archive.apply(archive.loom.duplicate(uuid))
    assert files(archive.to) == []


def test_a_copy_that_nobody_saw_stays(archive):
    group = archive.exact()
    third = shutil.copy2(archive.photo, archive.photo.parent / "third.jpg")
    archive.tell()
    archive.apply(group)
    assert os.path.exists(third)


def test_all_copies_of_what_is_only_similar_go(archive, files):
    shutil.copy2(archive.small, archive.photo.parent / "small too.jpg")
    archive.tell()
    assert whys(archive.apply(archive.similar())) == [None, None]
    assert files(archive.photo.parent) == ["old/rocket.jpg", "rocket.jpg"]


@pytest.mark.parametrize("what", ["gone", "changed", "replaced"])
def test_nothing_moves_without_the_one_that_is_kept(archive, what):
    group = archive.exact()
    archive.copy.unlink()
    if what != "gone":
        archive.copy.write_bytes(b"x" * archive.photo.stat().st_size if what == "changed" else b"x")
    (moved,) = archive.apply(group)
    assert "the one that is kept is not at" in moved.why
    assert archive.photo.exists()
    assert archive.loom.actions().items == []


@both_disks
def test_nothing_moves_when_the_one_that_is_kept_goes_meanwhile(archive, monkeypatch):
    group = archive.exact()
    move = applying.move

    def move_both(origin, *more):
        move(origin, *more)
        if archive.copy.exists():
            archive.copy.unlink()

    monkeypatch.setattr(applying, "move", move_both)
    (moved,) = archive.apply(group)
    assert "brought back" in moved.why
    assert archive.photo.exists()
    assert [(one.state, one.why) for one in archive.loom.actions().items] == [("FAILED", moved.why)]


@both_disks
def test_a_file_that_changed_stays(archive):
    group = archive.exact()
    archive.photo.write_bytes(b"x" * archive.photo.stat().st_size)
    (moved,) = archive.apply(group)
    assert moved.target is None
    assert archive.photo.exists()
    assert [one.state for one in archive.loom.actions().items] == ["FAILED"]


def test_the_kept_file_under_another_name_is_no_duplicate(archive):
    archive.photo.unlink()
    os.link(archive.copy, archive.photo)
    archive.tell()
    assert whys(archive.apply(archive.exact())) == ["it is the very file that is kept, under another name"]
    assert archive.photo.exists()


def test_a_name_that_is_taken_gets_a_number(archive, files):
    taken = archive.aside(archive.photo)
    taken.parent.mkdir(parents=True)
    taken.write_bytes(b"something else")
    (moved,) = archive.apply(archive.exact())
    assert moved.target == os.fsencode(taken.with_name("rocket-2.jpg"))
    assert taken.read_bytes() == b"something else"


def test_what_was_put_aside_keeps_nothing_alive(archive):
    """Two groups that would each keep what the other puts aside."""
    first = archive.exact()
    archive.apply(first)
    uuid = archive.loom.propose("similar", [(archive.blake3(archive.copy), 0), (archive.blake3(archive.small), 4)])
    second = archive.loom.confirm_duplicate(uuid)
    archive.copy.unlink()
    archive.loom.mark_missing(HOST, [os.path.split(os.fsencode(archive.copy))])
    assert whys(archive.apply(second)) == ["the one that is kept does not lie on this machine"]
    assert archive.small.exists()


def test_the_folder_itself_is_no_place_to_keep_things(archive):
    group = archive.exact()
    assert whys(archive.apply(group, to=archive.copy.parent)) == [
        "the one that is kept lies in the folder that the others are to go to"
    ]
    assert archive.photo.exists()


def test_files_of_other_machines_are_left(archive):
    group = archive.exact()
    elsewhere = applying.Applying(archive.loom, "elsewhere", os.fsencode(archive.to))
    assert list(elsewhere.apply(group)) == []
