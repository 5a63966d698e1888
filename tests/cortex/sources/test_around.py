"""Roots that lie in others: the ignore files around them hold in them, too."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from cortex.sources.found import ScanOptions
from cortex.sources.lanes import LaneOptions
from cortex.sources.scan import Scan


@pytest.fixture
def tree(folder: Any) -> Any:
    folder.write(".loomignore", b"*.raw\n/a/b/private\n")
    folder.write("a/.loomignore", b"!keep.raw\n/b/*.tmp\n")
    for name in ("1.jpg", "1.raw", "keep.raw", "x.tmp", "deep/x.tmp", "deep/1.raw", "private/2.jpg"):
        folder.write(f"a/b/{name}")
    folder.write("3.jpg")
    return folder


def paths(found: list[Any], root: Any) -> list[str]:
    return sorted(os.fsdecode(os.path.relpath(one.path, root.path)) for one in found)


PASSING = ["3.jpg", "a/b/1.jpg", "a/b/deep/x.tmp", "a/b/keep.raw"]


@pytest.mark.parametrize("inner", ["a/b", "a", "a/b/deep"])
def test_they_obey_them_as_if_found_on_the_way(tree: Any, scan: Callable[..., Any], inner: str) -> None:
    one = scan(tree)
    assert paths(one.found, tree) == PASSING
    for roots in ((tree, tree / inner), (tree / inner, tree)):
        both = scan(*roots)
        assert paths(both.found, tree) == PASSING
        assert both.scan.seen == len(PASSING), "each is walked once"


def test_alone_a_folder_obeys_its_own(tree: Any, scan: Callable[..., Any]) -> None:
    assert len(scan(tree / "a/b").found) == 7


def test_for_named_files_they_hold_as_well(tree: Any, scan: Callable[..., Any]) -> None:
    named = [tree / name for name in ("a/b/1.raw", "a/b/keep.raw", "a/b/private/2.jpg", "a/b/1.jpg")]
    assert paths(scan(*named).found, tree) == ["a/b/1.jpg", "a/b/1.raw", "a/b/keep.raw", "a/b/private/2.jpg"]
    assert paths(scan(tree / "a", *named).found, tree) == sorted(
        ["a/b/1.jpg", "a/b/1.raw", "a/b/deep/1.raw", "a/b/deep/x.tmp", "a/b/keep.raw", "a/b/private/2.jpg"]
    )
    assert paths(scan(tree, *named).found, tree) == PASSING


def test_a_folder_that_is_left_alone_is_not_entered(tree: Any, scan: Callable[..., Any], ledger: Any) -> None:
    tree.write("a/b/private/.loomignore", b"!*\n")
    ledger.asked.clear()
    assert paths(scan(tree, tree / "a/b/private").found, tree) == PASSING
    assert tree / "a/b/private" not in ledger.asked


def test_they_hold_for_each_lane(tree: Any) -> None:
    lanes = [LaneOptions(ScanOptions()), LaneOptions(ScanOptions(exclude=("keep*",)))]
    roots = [tree.path, tree / "a/b"]
    found = list(Scan(roots, ScanOptions(), ledger=None, host="here", plan=b"", lanes=lanes))
    assert paths(found, tree) == PASSING
    assert {one.name: one.lanes for one in found}[b"keep.raw"] == (0,)


def test_one_that_cannot_be_read_makes_what_lies_below_unreachable(
    open_folder: Any, scan: Callable[..., Any], as_nobody: Callable[[], Any]
) -> None:
    open_folder.write(".loomignore", b"secret\n")
    open_folder.write("a/secret")
    os.chmod(open_folder / ".loomignore", 0)
    with as_nobody():
        ended = scan(open_folder, open_folder / "a")
    assert ended.found == []
    assert ended.scan.unreachable == [open_folder / "a", open_folder.path]
