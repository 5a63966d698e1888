"""Scans of what has changed: they find what a whole walk would, and take nothing for gone that they did not look at."""

import os
import shutil
from collections.abc import Callable, Collection
from typing import Any

import pytest

from cortex.sources.found import ScanOptions
from cortex.sources.watched import MANY_GONE, Changed, Watched, WatchedScan

Look = Callable[..., tuple[WatchedScan, list[bytes]]]


@pytest.fixture
def look(ledger: Any, folder: Any) -> Look:
    """Looks at folders and trees, given below the root; None: at all of it."""

    def run(
        folders: Collection[str] | None, trees: Collection[str] = (), not_ready: Collection[bytes] = (), **options: Any
    ) -> tuple[WatchedScan, list[bytes]]:
        below = [frozenset(os.path.normpath(folder / name) for name in names) for names in (folders or (), trees)]
        changed = {} if folders is None else {folder.path: Changed(folders=below[0], trees=below[1])}
        watched = Watched(ready=lambda path, _: os.path.basename(path) not in not_ready, changed=changed)
        scan = WatchedScan([folder.path], ScanOptions(**options), watched, ledger=ledger, host="here", plan=b"plan")
        return scan, [found.relative for found in scan]

    return run


@pytest.fixture
def tree(folder: Any, settle: Callable[..., None]) -> Any:
    """Known files in the root, in `a`, `a/b` and `c`."""
    for name in ("one", "a/two", "a/b/three", "a/b/four", "c/five"):
        folder.write(name)
    settle(folder)
    return folder


def test_only_the_folder_that_changed_is_looked_at(tree: Any, look: Look, ledger: Any) -> None:
    for name in ("new", "a/new", "a/b/new", "c/new"):
        tree.write(name)
    ledger.asked.clear()
    scan, found = look(["a/b"])
    assert found == [b"a/b/new"]
    assert ledger.asked == [tree / "a/b"]
    assert (scan.seen, scan.unchanged, scan.missing, scan.unreachable) == (3, 2, 0, [])


def test_a_tree_is_walked_with_all_that_is_in_it(tree: Any, look: Look) -> None:
    for name in ("new", "a/new", "a/b/deep/new", "c/new"):
        tree.write(name)
    assert look([], ["a"])[1] == [b"a/new", b"a/b/deep/new"]


def test_the_rules_of_a_root_around_hold_when_only_the_inner_one_is_walked(folder: Any, ledger: Any) -> None:
    folder.write(".loomignore", b"*.raw\n")
    for name in ("a/b/1.raw", "a/b/1.jpg"):
        folder.write(name)
    for changed in ({}, {folder / "a": Changed(folders=frozenset({folder / "a/b"}))}):
        watched = Watched(ready=lambda *_: True, changed=changed, around=frozenset({folder.path, folder / "a"}))
        scan = WatchedScan([folder / "a"], ScanOptions(), watched, ledger=ledger, host="here", plan=b"plan")
        assert [found.name for found in scan] == [b"1.jpg"]


def test_the_rules_are_those_of_a_whole_walk(tree: Any, look: Look) -> None:
    tree.write(".loomignore", b"*.raw\n/c\n")
    tree.write("a/.loomignore", b"/b/secret*\n")
    for name in ("a/b/x.raw", "a/b/secret.jpg", "a/b/x.jpg", "a/b/x.txt", "c/x.jpg", ".hidden/x.jpg"):
        tree.write(name)
    folders = ["a/b", "c", ".hidden"]
    assert look(folders)[1] == [b"a/b/x.jpg", b"a/b/x.txt"]
    assert look(folders, includes=(("/a/**/*.jpg",),))[1] == [b"a/b/x.jpg"]
    assert look(folders, hidden=True)[1] == [b".hidden/x.jpg", b"a/b/x.jpg", b"a/b/x.txt"]


def test_a_file_that_is_gone_is_missing_and_no_other(tree: Any, look: Look, ledger: Any) -> None:
    for name in ("one", "a/two", "a/b/three"):
        os.remove(tree / name)
    scan, found = look(["a/b"], ["a/b/three"])
    assert (found, scan.missing, ledger.missing) == ([], 1, [tree / "a/b/three"])


def test_a_folder_that_is_gone(tree: Any, look: Look, ledger: Any) -> None:
    shutil.rmtree(tree / "a")
    os.remove(tree / "c/five")
    look(["."], ["a"])
    assert sorted(ledger.missing) == [tree / "a/b/four", tree / "a/b/three", tree / "a/two"]


def test_a_folder_that_is_gone_without_word_of_it_stays_as_it_was(tree: Any, look: Look, ledger: Any) -> None:
    shutil.rmtree(tree / "a")
    look(["c"])
    assert ledger.missing == []


def test_many_that_are_gone_are_asked_for_at_once(tree: Any, look: Look, ledger: Any) -> None:
    names = [f"c/{number}" for number in range(MANY_GONE + 1)]
    few = Changed(trees=frozenset(map(os.fsencode, names[:3])))
    assert few.tops == few.trees
    assert Changed(trees=frozenset(map(os.fsencode, names))).tops == {b"c"}
    os.remove(tree / "c/five")
    look(["c"], [*names, "c/five"])
    assert ledger.missing == [tree / "c/five"]


def test_the_last_file_of_a_root_is_not_taken_for_deleted(tree: Any, look: Look, ledger: Any) -> None:
    """As an unmounted disk looks; a whole walk says what is so."""
    for name in ("one", "a", "c"):
        (os.remove if name == "one" else shutil.rmtree)(tree / name)
    scan, _ = look(["."], ["one", "a", "c"])
    assert scan._watched.undecided == {tree.path}
    assert (ledger.missing, ledger.unreachable) == ([], [])
    scan, _ = look(None)
    assert (ledger.missing, scan.unreachable) == ([], [tree.path])


def test_a_root_that_is_gone_is_unreachable(tree: Any, look: Look, ledger: Any) -> None:
    shutil.rmtree(tree.path)
    scan, _ = look(["."], ["one"])
    assert (ledger.missing, ledger.unreachable, scan.unreachable) == ([], [tree.path], [tree.path])


def test_files_that_are_not_ready_are_left_as_they_were(tree: Any, look: Look, ledger: Any) -> None:
    tree.write("a/two", b"it grows")
    tree.write("a/new")
    for folders in (["a"], None):
        scan, found = look(folders, not_ready=[b"two", b"one"])
        assert found == [b"a/new"]
        assert (scan.found, ledger.missing) == (1, [])
    assert scan.unchanged == 4, "nobody asks of a file that is as it was"
    assert look(["a"])[1] == [b"a/new", b"a/two"]


def test_a_single_file_that_is_not_ready(folder: Any, ledger: Any) -> None:
    path = folder.write("one")
    for ready in (False, True):
        watched = Watched(ready=lambda *_, told=ready: told)
        scan = WatchedScan([path], ScanOptions(), watched, ledger=ledger, host="here", plan=b"plan")
        assert len(list(scan)) == ready
    assert ledger.missing == []


def test_it_tells_whether_hidden_files_pass(look: Look) -> None:
    assert [look(None, hidden=hidden)[0]._watched.hidden for hidden in (False, True)] == [False, True]


def test_what_is_walked_by_itself_is_not_looked_at(tree: Any, ledger: Any) -> None:
    """Nor is anything of it gone when it is not there."""

    def look() -> tuple[WatchedScan, list[bytes]]:
        watched, options = Watched(ready=lambda *_: True), ScanOptions(apart=frozenset([tree / "a", tree / "c"]))
        scan = WatchedScan([tree.path], options, watched, ledger=ledger, host="here", plan=b"plan")
        return scan, [found.relative for found in scan]

    for name in ("new", "a/new", "a/b/new"):
        tree.write(name)
    os.remove(tree / "a/two")
    scan, found = look()
    assert (found, scan.seen, scan.missing) == ([b"new"], 2, 0)
    shutil.rmtree(tree / "c")
    for name in ("one", "new"):
        os.remove(tree / name)
    scan, found = look()
    assert (found, scan.missing, scan.unreachable) == ([], 1, []), "what else lies there shows that the folder does"
