"""Markers of real folders, on disks that a mount table says are there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cortex.sources.marker import Markers, set_mark
from cortex.sources.mounts import Mounts
from loom.errors import LoomError
from loom.sources import Marker


@pytest.fixture
def markers(tmp_path: Path) -> Callable[..., Markers]:
    """The markers where folders below the test's own are mounted: `point=root`; all of one disk with an id."""

    def read(kind: str = "ext4", **mounted: str) -> Markers:
        (tmp_path / "by-uuid").mkdir(exist_ok=True)
        if not (tmp_path / "by-uuid" / "disk").is_symlink():
            (tmp_path / "by-uuid" / "disk").symlink_to("/dev/null")
        table = tmp_path / "mountinfo"
        real = tmp_path.resolve()
        lines = [f"9 1 1:3 {root} {real}/{point} rw - {kind} x rw\n" for point, root in mounted.items()]
        table.write_text("8 0 0:99 / / rw - overlay x rw\n" + "".join(lines))
        return Markers(Mounts(table, tmp_path / "by-uuid"))

    return read


def places(markers: Markers, marker: Marker) -> list[bytes]:
    return list(markers.places(marker, lambda _: True))


def test_a_folder_is_known_by_its_disk_and_its_path_inside(markers: Callable[..., Markers], tmp_path: Path) -> None:
    (tmp_path / "a/photos").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "link").symlink_to("a/photos")
    first, path = markers(a="/top"), os.fsencode(tmp_path / "a/photos")
    marker = first.of(path)
    assert marker == Marker(kind="filesystem", id="disk", inside=b"/top/photos")
    assert first.of(os.fsencode(tmp_path / "link")) == marker
    assert first.of(os.fsencode(tmp_path)) is None, "of an overlay nothing is known"
    assert first.fits(marker, path)
    assert places(first, marker) == [path]
    assert not first.fits(marker, os.fsencode(tmp_path / "a"))


def test_it_is_found_where_its_disk_is_mounted_now(markers: Callable[..., Markers], tmp_path: Path) -> None:
    (tmp_path / "b/photos").mkdir(parents=True)
    (tmp_path / "c").mkdir()
    marker = Marker(kind="filesystem", id="disk", inside=b"/top/photos")
    assert places(markers(b="/top"), marker) == [os.fsencode(tmp_path / "b/photos")]
    assert places(markers(c="/top/photos", b="/top"), marker) == [
        os.fsencode(tmp_path / "c"),
        os.fsencode(tmp_path / "b/photos"),
    ]
    assert places(markers(b="/elsewhere"), marker) == []
    assert not markers(b="/elsewhere").is_mounted(marker)
    (tmp_path / "b/photos").rmdir()
    assert places(markers(b="/top"), marker) == [], "its disk is there, the folder is not"
    assert markers(b="/top").is_mounted(marker)
    assert list(markers(c="/top/photos").places(marker, lambda _: False)) == []


def test_a_folder_is_known_by_the_file_in_it(markers: Callable[..., Markers], tmp_path: Path) -> None:
    folder = tmp_path / "a/photos"
    folder.mkdir(parents=True)
    set_mark(os.fsencode(folder))
    written = (folder / ".loom-source").read_text()
    set_mark(os.fsencode(folder))
    assert (folder / ".loom-source").read_text() == written, "it is set once"
    assert os.listdir(folder) == [".loom-source"]
    marker = markers(a="/").of(os.fsencode(folder))
    assert marker == Marker(kind="file", id=written.strip(), inside=b"/photos")
    folder.rename(tmp_path / "a/pictures")
    after = markers(a="/")
    assert not after.fits(marker, os.fsencode(folder))
    assert after.fits(marker, os.fsencode(tmp_path / "a/pictures"))
    assert after.in_folder(marker, os.fsencode(tmp_path / "a")) == os.fsencode(tmp_path / "a/pictures")
    assert after.in_folder(marker, os.fsencode(tmp_path / "none")) is None
    assert places(after, marker) == []
    (tmp_path / "a").rename(tmp_path / "b")
    (tmp_path / "b/pictures").rename(tmp_path / "b/photos")
    assert places(markers(b="/"), marker) == [os.fsencode(tmp_path / "b/photos")]


def test_what_another_machine_answers_for_is_not_searched(markers: Callable[..., Markers], tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    path = os.fsencode(tmp_path / "a")
    set_mark(path)
    marker = markers().of(path)
    assert marker is not None
    there = Marker(kind="file", id=marker.id, inside=b"/")
    assert places(markers(a="/"), there) == [path]
    far = markers("nfs4", a="/")
    assert places(far, there) == []
    assert (far.may_hang(path), markers(a="/").may_hang(path)) == (True, False)
    assert far.fits(there, path), "but where it is known to lie it is looked at"


@pytest.mark.parametrize("content", ["", "two words here", "short", "x" * 65, "\0" * 36])
def test_a_file_without_an_id_marks_nothing(markers: Callable[..., Markers], tmp_path: Path, content: str) -> None:
    (tmp_path / ".loom-source").write_text(content)
    assert markers().of(os.fsencode(tmp_path)) is None
    set_mark(os.fsencode(tmp_path))
    assert markers().of(os.fsencode(tmp_path)) is not None


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_marks_nothing_and_does_not_block(markers: Any, tmp_path: Path, make: Any) -> None:
    make(tmp_path / ".loom-source")
    assert markers().of(os.fsencode(tmp_path)) is None


def test_what_cannot_be_written_to_is_not_marked(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for name in ("file", "none"):
        with pytest.raises(LoomError, match="cannot be marked") as refused:
            set_mark(os.fsencode(tmp_path / name))
        assert refused.value.code == "USAGE"


def test_where_the_system_tells_nothing_only_files_mark(tmp_path: Path) -> None:
    none = Markers(Mounts(tmp_path / "none", tmp_path / "none"))
    path = os.fsencode(tmp_path)
    assert (none.of(path), none.tell_disks) == (None, False)
    set_mark(path)
    marker = Markers(Mounts(tmp_path / "none", tmp_path / "none")).of(path)
    assert marker is not None
    assert (marker.kind, marker.inside) == ("file", os.fsencode(tmp_path.resolve()))
