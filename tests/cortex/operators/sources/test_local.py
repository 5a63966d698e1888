from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from cortex.operators.sources.local import FilesystemSource, LoomSource, ScanWishes
from loom.errors import LoomError


class Places:
    """The part of Loom that `source.loom` asks."""

    def __init__(self, paths: list[bytes]) -> None:
        self.paths = paths
        self.asked: list[tuple[object, object]] = []

    def places(self, host, *, kind=None, collection=None):
        self.asked.append((kind, collection))
        return iter(self.paths)

    def known_files(self, host, directories, plan):
        return [[] for _ in directories]

    def mark_missing(self, host, files):
        raise AssertionError("a source that looks for nothing cannot miss anything")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a.jpg", "b.png", ".c.jpg", "raw/d.jpg", "big.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * (5000 if name == "big.jpg" else 5))
    return tmp_path


def names(source, roots, loom=None, **more):
    scan = source.open_scan([os.fsencode(root) for root in roots], loom=loom, host="here", plan=b"", **more)
    return [os.fsdecode(found.name) for found in scan], scan


def test_the_options_of_the_source_hold(tree):
    source = FilesystemSource(include=["*.jpg"], exclude=["raw/"], hidden=True, max_size="4kB")
    assert names(source, [tree])[0] == [".c.jpg", "a.jpg"]


def test_wishes_narrow_what_the_options_allow(tree):
    source = FilesystemSource(include=["*.jpg"], exclude=["big*"])
    assert names(source, [tree], wishes=ScanWishes(include=("a*", "d*")))[0] == ["a.jpg", "d.jpg"]
    assert names(source, [tree], wishes=ScanWishes(exclude=("raw",), hidden=True))[0] == [".c.jpg", "a.jpg"]
    assert names(source, [tree], wishes=ScanWishes(limit=1))[0] == ["a.jpg"]


@pytest.mark.parametrize("options", [{"exclude": ["!"]}, {"include": "*.jpg"}, {"min_size": -1}])
def test_wrong_options_are_refused(options):
    with pytest.raises(ValidationError):
        FilesystemSource(**options)


def test_loom_gives_the_files_it_knows(tree):
    loom = Places([os.fsencode(tree / "a.jpg"), os.fsencode(tree / "gone.jpg"), os.fsencode(tree / ".c.jpg")])
    found, scan = names(LoomSource(kind="image", collection="best"), [], loom)
    assert found == ["a.jpg", ".c.jpg"]
    assert [code for _, code, _ in scan.unreadable] == ["FILE_VANISHED"]
    assert loom.asked == [("image", "best")]


def test_roots_narrow_what_loom_gives(tree):
    loom = Places([os.fsencode(tree / name) for name in ("a.jpg", "b.png", "raw/d.jpg")])
    assert names(LoomSource(), [tree / "raw", tree / "b.png"], loom)[0] == ["b.png", "d.jpg"]
    assert names(LoomSource(), [tree / "ra"], loom)[0] == []


def test_the_source_loom_needs_a_loom(tree):
    with pytest.raises(LoomError) as error:
        names(LoomSource(), [tree])
    assert error.value.code == "LOOM_UNREACHABLE"
