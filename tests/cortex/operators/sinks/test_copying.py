from __future__ import annotations

import fcntl
import os
import shutil
import stat
from pathlib import Path

import pytest
from blake3 import blake3
from ingests import carry_out, definition, loom_in
from pydantic import ValidationError

from cortex.operators.sinks import placing
from cortex.operators.sinks.copying import Copy
from cortex.testing import derived, run_operator
from loom.errors import LoomError

METADATA = {"id": "metadata", "operator": "media.metadata"}


@pytest.fixture
def target(tmp_path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


@pytest.fixture
def photo(real_image, tmp_path) -> Path:
    """A copy that may be changed."""
    path = tmp_path / "files" / "rocket.jpg"
    path.parent.mkdir()
    shutil.copy2(real_image, path)
    return path


def files_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def test_copies_of_real_and_broken_files(real_image, real_video, broken_files, target):
    for path in (real_image, real_video, *broken_files):
        found = run_operator(Copy(to=str(target), template="{kind}/{name}"), path)
        copy = Path(found.outputs["target"])
        assert copy.read_bytes() == path.read_bytes()
        assert copy.stat().st_mtime_ns == path.stat().st_mtime_ns
        assert found.outputs["copied"] is True
        assert found.effects == (f"copy {path} to {copy}",)
    assert len(files_in(target)) == 5


def test_a_large_file_is_copied_in_pieces(tmp_path, target):
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        for number in range(65):
            file.write(bytes([number]) * 1024 * 1024)
    run_operator(Copy(to=str(target)), path)
    assert (target / "large.bin").read_bytes() == path.read_bytes()


def test_permissions_stay_and_the_copy_is_a_file_of_its_own(photo, target):
    photo.chmod(0o640)
    run_operator(Copy(to=str(target)), photo)
    made = (target / "rocket.jpg").stat()
    assert (stat.S_IMODE(made.st_mode), made.st_nlink) == (0o640, 1)


def test_a_repeat_copies_nothing(photo, target):
    node = Copy(to=str(target), template="a/b/{name}", conflict="rename")
    run_operator(node, photo)
    before = (target / "a" / "b" / "rocket.jpg").stat()
    assert run_operator(node, photo).outputs == {"copied": False, "target": str(target / "a" / "b" / "rocket.jpg")}
    assert files_in(target) == ["a/b/rocket.jpg"]
    assert (target / "a" / "b" / "rocket.jpg").stat().st_ino == before.st_ino


def test_a_dry_run_does_nothing(photo, target):
    found = run_operator(Copy(to=str(target), template="{kind}/{name}"), photo, dry_run=True)
    assert found.effects == (f"copy {photo} to {target}/image/rocket.jpg",)
    assert (found.outputs, list(target.iterdir())) == ({}, [])


def test_a_name_that_is_taken(photo, target):
    taken = target / "rocket.jpg"
    taken.write_bytes(b"something else")
    with pytest.raises(LoomError, match="taken by another content") as error:
        run_operator(Copy(to=str(target)), photo)
    assert error.value.code == "EFFECT_FAILED"
    assert run_operator(Copy(to=str(target), conflict="skip"), photo).outputs == {"copied": False}
    renaming = Copy(to=str(target), conflict="rename")
    assert run_operator(renaming, photo).outputs == {"copied": True, "target": str(target / "rocket-2.jpg")}
    assert run_operator(renaming, photo).outputs == {"copied": False, "target": str(target / "rocket-2.jpg")}
    assert files_in(target) == ["rocket-2.jpg", "rocket.jpg"]
    assert taken.read_bytes() == b"something else"


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_no_file_takes_a_name_too(photo, target, tmp_path, kind):
    other = tmp_path / "other.jpg"
    shutil.copy(photo, other)
    make = {"link": lambda p: p.symlink_to(other), "folder": Path.mkdir, "pipe": os.mkfifo}[kind]
    make(target / "rocket.jpg")
    assert run_operator(Copy(to=str(target), conflict="skip"), photo).outputs == {"copied": False}


def test_no_link_leads_out_of_the_folder(photo, target, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (target / "image").symlink_to(elsewhere)
    with pytest.raises(LoomError) as error:
        run_operator(Copy(to=str(target), template="{kind}/{name}"), photo)
    assert error.value.code == "EFFECT_FAILED"
    assert list(elsewhere.iterdir()) == []


def test_a_folder_that_is_not_there_is_not_made(photo, tmp_path):
    with pytest.raises(LoomError, match="cannot be opened: No such file") as error:
        run_operator(Copy(to=str(tmp_path / "disk")), photo)
    assert error.value.code == "EFFECT_FAILED"
    assert not (tmp_path / "disk").exists()


def test_what_a_killed_process_left_behind_is_taken(photo, target):
    found = run_operator(Copy(to=str(target)), photo)
    digest = blake3(photo.read_bytes()).hexdigest()
    (target / "rocket.jpg").rename(target / f".{digest[:32]}.part")
    (target / f".{digest[:32]}.part").write_bytes(b"half")
    assert run_operator(Copy(to=str(target)), photo).outputs == found.outputs
    assert files_in(target) == ["rocket.jpg"]
    os.link(target / "rocket.jpg", target / f".{digest[:32]}.part")
    run_operator(Copy(to=str(target), template="second"), photo)
    assert files_in(target) == ["rocket.jpg", "second"]
    assert (target / "rocket.jpg").read_bytes() == (target / "second").read_bytes() == photo.read_bytes()


def test_two_do_not_write_to_one_file(photo, target):
    digest = blake3(photo.read_bytes()).hexdigest()
    with (target / f".{digest[:32]}.part").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(LoomError) as error:
            run_operator(Copy(to=str(target)), photo)
    assert error.value.code == "TRY_AGAIN"


def test_a_file_that_is_another_by_now_is_not_copied(photo, target, monkeypatch):
    """Between reading and copying, as it is in a run."""
    render = Copy.compute.__globals__["render"]

    def rendered(*arguments):
        names = render(*arguments)
        assert arguments[2].asset
        photo.write_bytes(b"another")
        return names

    monkeypatch.setitem(Copy.compute.__globals__, "render", rendered)
    with pytest.raises(LoomError) as error:
        run_operator(Copy(to=str(target)), photo)
    assert error.value.code == "CHANGED_WHILE_READ"
    assert files_in(target) == []


def test_a_disk_that_does_not_keep_what_was_written(photo, target, monkeypatch):
    monkeypatch.setattr(placing, "_digest", lambda descriptor: bytes(32))
    with pytest.raises(LoomError, match="not what was read") as error:
        run_operator(Copy(to=str(target)), photo)
    assert error.value.code == "EFFECT_FAILED"
    assert files_in(target) == []
    run_operator(Copy(to=str(target), verify=False), photo)
    assert files_in(target) == ["rocket.jpg"]


def test_a_file_system_without_links(photo, target, monkeypatch):
    def refuse(*_, **__):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    run_operator(Copy(to=str(target)), photo)
    assert files_in(target) == ["rocket.jpg"]
    assert (target / "rocket.jpg").read_bytes() == photo.read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk(photo, target, monkeypatch):
    """The bytes go to a device on which there is no room."""
    monkeypatch.setattr(os, "dup", lambda descriptor: os.open("/dev/full", os.O_WRONLY))
    with pytest.raises(LoomError) as error:
        run_operator(Copy(to=str(target)), photo)
    monkeypatch.undo()
    assert error.value.code == "DISK_FULL"
    assert files_in(target) == []


def test_in_runs(media_folder, tmp_path, target):
    options = {"to": str(target), "template": "{captured_at:%Y/%m}/{name}", "missing": "undated", "conflict": "rename"}
    copy = {"id": "copy", "operator": "sink.copy", "config": options}
    with loom_in(tmp_path / "loom") as loom:
        dry = carry_out(loom, media_folder, definition("copies", METADATA, copy), dry_run=True)
        assert len(dry.summary["would_write"]["effects"]) == 9
        assert files_in(target) == []
        assert carry_out(loom, media_folder, definition("copies", METADATA, copy)).nodes("copy") == {"computed": 9}
        made = files_in(target)
        assert len(made) == 9
        assert {"2024/05/rocket.jpg", "undated/notes.txt"} < set(made)
        again = carry_out(loom, media_folder, definition("copies", METADATA, copy), recompute=["copy"])
        assert again.nodes("copy") == {"computed": 9}
        assert files_in(target) == made


@pytest.mark.parametrize(
    "options",
    [{}, {"to": "archive"}, {"to": ""}, {"to": "/a", "template": "../{name}"}, {"to": "/a", "conflict": "overwrite"},
     {"to": "/a", "missing": "a/b"}, {"to": "/a", "missing": ".."}],
)  # fmt: skip
def test_wrong_options_are_refused(options):
    with pytest.raises(ValidationError):
        Copy(**options)


def test_derived_files_are_copied_in_place_of_the_asset(real_image, real_video, target):
    crops = [derived(b"one", "image/png", "face-0"), None, derived(b"three", "image/webp", "a/b")]
    for path in (real_image, real_video):
        node = Copy(to=str(target), template="{stem}-{file}{suffix}")
        found = run_operator(node, path, items=crops)
        names = [f"{path.stem}-face-0.png", f"{path.stem}-a_b.webp"]
        assert found.outputs["target"] == [f"{target}/{names[0]}", None, f"{target}/{names[1]}"]
        assert [(target / name).read_bytes() for name in names] == [b"one", b"three"]
        assert found.effects == tuple(
            f"copy {crop.name} of {path} to {target}/{name}"
            for crop, name in zip([crops[0], crops[2]], names, strict=True)
        )
        assert [(one.kind, one.digest, one.size) for one in found.actions] == [
            ("wrote", blake3(data).digest(), len(data)) for data in (b"one", b"three")
        ]
    one = run_operator(Copy(to=str(target)), real_image, item=derived(b"film", "video/mp4", "film"))
    assert one.outputs["target"] == f"{target}/{real_image.stem}.mp4"


def test_where_no_derived_file_was_made_nothing_is_copied(real_image, target):
    found = run_operator(Copy(to=str(target)), real_image, items=[])
    assert (found.effects, files_in(target)) == ((), [])
    with pytest.raises(LoomError) as raised:
        run_operator(Copy(to=str(target), template="{file}"), real_image)
    assert raised.value.code == "OPERATOR_FAILED"
