from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from ingests import carry_out, definition, loom_in
from pydantic import ValidationError

from cortex.operators.sinks import moving, placing
from cortex.operators.sinks.moving import Move
from cortex.testing import run_operator
from loom.errors import LoomError


def files_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


@pytest.fixture
def home_folder(tmp_path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


@pytest.fixture
def photo(real_image, home_folder) -> Path:
    return Path(shutil.copy2(real_image, home_folder / "rocket.jpg"))


@pytest.fixture(params=["this disk", "another disk"])
def target(request, tmp_path):
    """A folder on the disk of the files, and one on another."""
    if request.param == "this disk":
        folder = tmp_path / "target"
        folder.mkdir()
        yield folder
        return
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other disk here")
    with tempfile.TemporaryDirectory(dir=memory) as made:
        yield Path(made)


def move(target, **options):
    return Move(to=str(target), confirm=True, **options)


def test_real_and_broken_files(real_image, real_audio, broken_files, home_folder, target):
    for path in (real_image, real_audio, *broken_files):
        own = Path(shutil.copy2(path, home_folder / path.name))
        times = own.stat().st_mtime_ns
        found = run_operator(move(target, template="{kind}/{name}"), own)
        moved = Path(found.outputs["target"])
        assert found.outputs == {"origin": str(own), "target": str(moved), "moved": True}
        assert (moved.read_bytes(), moved.stat().st_mtime_ns) == (path.read_bytes(), times)
        assert found.effects == (f"move {own} to {moved}",)
    assert files_in(home_folder) == []
    assert len(files_in(target)) == 5


def test_a_dry_run_does_nothing(photo, target):
    found = run_operator(move(target), photo, dry_run=True)
    assert found.effects == (f"move {photo} to {target}/rocket.jpg",)
    assert (photo.exists(), files_in(target)) == (True, [])


def test_a_file_at_its_place_stays_there(photo, target):
    run_operator(move(target, template="a/{name}"), photo)
    there = target / "a" / "rocket.jpg"
    found = run_operator(move(target, template="a/{name}"), there)
    assert found.outputs == {"origin": str(there), "target": str(there), "moved": False}
    assert files_in(target) == ["a/rocket.jpg"]


def test_a_file_at_its_numbered_place_stays_there(photo, target):
    (target / "rocket.jpg").write_bytes(b"something else")
    run_operator(move(target, conflict="rename"), photo)
    assert run_operator(move(target, conflict="rename"), target / "rocket-2.jpg").outputs["moved"] is False
    assert files_in(target) == ["rocket-2.jpg", "rocket.jpg"]


def test_a_file_seen_through_a_link_to_its_folder_stays_there(photo, home_folder, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(home_folder)
    assert run_operator(move(link), photo).outputs["moved"] is False
    assert photo.exists()


def test_a_folder_that_is_mounted_twice_is_one_folder(photo, home_folder, monkeypatch):
    """As a share shows itself: under two devices."""
    same = os.path.samestat
    monkeypatch.setattr(os.path, "samestat", lambda a, b: False if a.st_ino == b.st_ino else same(a, b))
    assert run_operator(move(home_folder), photo).outputs["moved"] is False
    assert files_in(home_folder) == ["rocket.jpg"]


def test_what_a_killed_process_began_is_ended(photo, target):
    """It was killed when the content lay there and the original was not removed yet."""
    shutil.copy2(photo, target / "rocket.jpg")
    assert run_operator(move(target), photo).outputs["moved"] is True
    assert (photo.exists(), files_in(target)) == (False, ["rocket.jpg"])


def test_a_second_name_of_the_file_is_enough(photo, home_folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    os.link(photo, other / "rocket.jpg")
    run_operator(move(other), photo)
    assert (files_in(home_folder), files_in(other)) == ([], ["rocket.jpg"])


def test_a_name_that_is_taken(photo, target):
    (target / "rocket.jpg").write_bytes(b"something else")
    with pytest.raises(LoomError, match="taken by another content") as error:
        run_operator(move(target), photo)
    assert error.value.code == "EFFECT_FAILED"
    assert run_operator(move(target, conflict="skip"), photo).outputs == {"origin": str(photo), "moved": False}
    assert photo.exists()
    run_operator(move(target, conflict="rename"), photo)
    assert (target / "rocket.jpg").read_bytes() == b"something else"
    assert files_in(target) == ["rocket-2.jpg", "rocket.jpg"]


def test_what_cannot_be_removed_was_not_moved(photo, home_folder, target, monkeypatch):
    unlink = os.unlink

    def refuse(name, *, dir_fd=None):
        if dir_fd is not None and os.path.samestat(os.fstat(dir_fd), home_folder.stat()):
            raise PermissionError(13, "Permission denied")
        unlink(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(LoomError, match="Permission denied") as error:
        run_operator(move(target), photo)
    assert error.value.code == "EFFECT_FAILED"
    assert (photo.exists(), files_in(target)) == (True, [])


@pytest.mark.parametrize("verify", [True, False])
def test_a_file_that_changes_meanwhile_stays(photo, target, monkeypatch, verify):
    choose = placing.choose

    def change(*arguments):
        photo.write_bytes(b"another content")
        return choose(*arguments)

    monkeypatch.setattr(moving, "choose", change)
    with pytest.raises(LoomError) as error:
        run_operator(move(target, verify=verify), photo)
    assert error.value.code == "CHANGED_WHILE_READ"
    assert photo.read_bytes() == b"another content"
    assert files_in(target) == []


def test_in_runs(media_folder, tmp_path, target):
    own = {"id": "move", "operator": "sink.move", "config": {
        "to": str(target), "template": "{kind}/{blake3:8}{suffix}", "confirm": True}}  # fmt: skip
    metadata = {"id": "metadata", "operator": "media.metadata"}
    content = {path.read_bytes() for path in media_folder.rglob("*") if path.is_file()}
    with loom_in(tmp_path / "loom") as loom:
        dry = carry_out(loom, media_folder, definition("moves", metadata, own), dry_run=True)
        assert len(dry.summary["would_write"]["effects"]) == 9
        assert len(files_in(media_folder)) == 10
        assert carry_out(loom, media_folder, definition("moves", metadata, own)).nodes("move") == {"computed": 9}
        assert len(files_in(media_folder)) == 1  # the second copy of one content
        assert {path.read_bytes() for path in target.rglob("*") if path.is_file()} == content
        again = carry_out(loom, target, definition("moves", metadata, own))
        assert "computed" not in again.nodes("move")
        assert len(files_in(target)) == 9


@pytest.mark.parametrize("options", [{"to": "/a"}, {"to": "/a", "confirm": False}, {"confirm": True}])
def test_a_move_that_is_not_confirmed_is_refused(options):
    with pytest.raises(ValidationError):
        Move(**options)
