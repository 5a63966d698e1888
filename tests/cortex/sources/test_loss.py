"""What is gone is asked about before it counts as deleted; what was only moved is not gone."""

import os
import shutil
from collections.abc import Callable, Collection
from typing import Any

import pytest

from cortex.sources.found import ScanOptions
from cortex.sources.loss import SOME, Loss
from cortex.sources.watched import Changed, Watched, WatchedScan

Look = Callable[..., WatchedScan]


class Asking:
    """A guard that answers the same to all, and remembers."""

    def __init__(self, may_go: bool) -> None:
        self.answer = may_go
        self.losses: list[Loss] = []
        self.went: list[tuple[bytes, int]] = []

    def may_go(self, loss: Loss) -> bool:
        self.losses.append(loss)
        return self.answer

    def counted(self, root: bytes, number: int) -> None:
        self.went.append((root, number))

    @property
    def numbers(self) -> list[int]:
        return [loss.number for loss in self.losses]


@pytest.fixture
def look(ledger: Any, folder: Any) -> Look:
    """Looks at folders and trees below the root, or, without any, at all of it; settles what it finds."""

    def run(
        guard: Asking, folders: Collection[str] = (), trees: Collection[str] = (), *more: bytes, ready: bool = True
    ) -> WatchedScan:
        below = [frozenset(os.path.normpath(folder / name) for name in names) for names in (folders, trees)]
        changed = {folder.path: Changed(folders=below[0], trees=below[1])} if folders else {}
        watched = Watched(ready=lambda *_: ready, changed=changed, guard=guard)
        scan = WatchedScan([folder.path, *more], ScanOptions(), watched, ledger=ledger, host="here", plan=b"plan")
        for found in scan:
            ledger.settle(found)
        return scan

    return run


@pytest.fixture
def tree(folder: Any, settle: Callable[..., None]) -> Any:
    """Thirty known files in `a` and `a/b`, each with a time and content of its own, and two in `c`."""
    for number in range(30):
        folder.write(f"a/b/{number}" if number % 2 else f"a/{number}", b"content %d" % number)
        os.utime(folder / (f"a/b/{number}" if number % 2 else f"a/{number}"), (1_700_000_000 + number,) * 2)
    for name in ("c/one", "c/two"):
        folder.write(name)
    settle(folder)
    return folder


@pytest.mark.parametrize("changed", [(), (["."], ["a"])], ids=["whole", "part"])
def test_what_may_not_go_stays_and_all_else_goes_on(tree: Any, look: Look, ledger: Any, changed: Any) -> None:
    shutil.rmtree(tree / "a")
    tree.write("new")
    guard = Asking(may_go=False)
    scan = look(guard, *changed)
    assert (scan.missing, ledger.missing, scan.found, guard.went) == (0, [], 1, [])
    (loss,) = guard.losses
    assert (loss.root, loss.number, loss.is_whole) == (tree.path, 30, not changed)
    assert {os.path.dirname(path) for path in loss.some} == {tree / "a", tree / "a/b"}
    assert len(loss.some) <= SOME
    assert (loss.remembered(None), loss.still_gone(loss.some)) == (33, True)
    guard = Asking(may_go=True)
    look(guard, *changed)
    assert (len(ledger.missing), guard.numbers, guard.went) == (30, [30], [(tree.path, 30)])
    assert (loss.remembered(None), loss.still_gone(loss.some)) == (3, False)


def test_what_is_back_is_no_longer_gone(tree: Any, look: Look) -> None:
    os.rename(tree / "a", tree / "../a")
    guard = Asking(may_go=False)
    look(guard)
    os.rename(tree / "../a", tree / "a")
    assert not guard.losses[0].still_gone(guard.losses[0].some)
    look(guard)
    assert guard.numbers == [30, 0]


@pytest.mark.parametrize("changed", [(), (["."], ["a", "z"])], ids=["whole", "part"])
@pytest.mark.parametrize("ready", [True, False])
def test_a_renamed_folder_is_not_gone(tree: Any, look: Look, ledger: Any, changed: Any, ready: bool) -> None:
    """Also when its files are not taken yet."""
    os.rename(tree / "a", tree / "z")
    guard = Asking(may_go=True)
    look(guard, *changed, ready=ready)
    assert (guard.numbers, guard.went, len(ledger.missing)) == ([0], [], 30)


def test_a_folder_that_is_renamed_back_is_not_gone(tree: Any, look: Look, ledger: Any) -> None:
    guard = Asking(may_go=True)
    for old, new in (("a", "z"), ("z", "a")):
        os.rename(tree / old, tree / new)
        look(guard)
    assert (guard.numbers, len(ledger.missing)) == ([0, 0], 60)


def test_files_that_are_renamed_where_they_lie_are_not_gone(tree: Any, look: Look) -> None:
    for number in range(0, 30, 2):
        os.rename(tree / f"a/{number}", tree / f"a/renamed {number}")
    guard = Asking(may_go=True)
    look(guard, ["a"], [f"a/{number}" for number in range(0, 30, 2)])
    assert guard.numbers == [0]


def test_what_was_moved_to_another_root_or_disk_is_not_gone(tree: Any, look: Look, tmp_path: Any) -> None:
    """On another disk it is a copy that keeps its time and name."""
    other = tmp_path / "other"
    other.mkdir()
    os.rename(tree / "a/b", bytes(other / "b"))
    for number in range(0, 30, 2):
        shutil.copy2(tree / f"a/{number}", bytes(other / str(number)))
        os.remove(tree / f"a/{number}")
    guard = Asking(may_go=True)
    look(guard, (), (), bytes(other))
    assert set(guard.numbers) == {0}


def test_other_content_at_a_new_path_is_no_move(tree: Any, look: Look) -> None:
    shutil.rmtree(tree / "a/b")
    tree.write("d/1", b"content x")
    guard = Asking(may_go=False)
    look(guard)
    assert guard.numbers == [15]


def test_another_root_answers_for_its_own_files(tree: Any, look: Look) -> None:
    shutil.rmtree(tree / "a/b")
    os.remove(tree / "c/one")
    guard = Asking(may_go=False)
    look(guard, (), (), tree / "c")
    by_root = {loss.root: (loss.number, loss.remembered(None)) for loss in guard.losses}
    assert by_root == {tree.path: (15, 30), tree / "c": (1, 2)}


def test_it_is_not_counted_further_than_need_be(folder: Any, settle: Callable[..., None], look: Look) -> None:
    for number in range(250):
        folder.write(f"{number}/one")
    settle(folder)
    guard = Asking(may_go=False)
    look(guard)
    assert [guard.losses[0].remembered(at_most) for at_most in (1, 100, 101, 1000, None)] == [100, 100, 200, 250, 250]
