"""A root that comes and goes, with real folders and real changes; the clock is the test's own."""

import math
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from programs import until

from cortex.watching.root import LOOK_S, TELL_AGAIN_S, Root

RESCAN_S = 1000.0


class Kept:
    """A root with what it told."""

    def __init__(self, path: Path, rescan_s: float = RESCAN_S) -> None:
        self.told: set[bytes] = set()
        self.notes: list[str] = []
        self.root = Root(os.fsencode(path), rescan_s, lambda _, paths: self.told.update(paths), self.notes.append)

    def begin(self) -> None:
        self.root.begin(0.0)
        self.root.walked(0.0)
        until(lambda: self.root.ready, 10)


@pytest.fixture
def keep() -> Iterator[Callable[[Path], Kept]]:
    kept: list[Kept] = []

    def make(path: Path) -> Kept:
        kept.append(Kept(path))
        kept[-1].begin()
        return kept[-1]

    yield make
    for one in kept:
        one.root.end()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    path.mkdir()
    return path


def test_changes_are_told_from_when_it_is_ready(keep: Callable[[Path], Kept], folder: Path) -> None:
    kept = keep(folder)
    (folder / "new").mkdir()
    (folder / "one").write_text("one")
    os.rename(folder / "one", folder / "two")
    names = {os.fsencode(folder / name) for name in ("new", "one", "two")}
    until(lambda: names <= kept.told, 10)
    assert not kept.root.must_be_walked(1.0)
    assert kept.root.must_be_walked(RESCAN_S)
    assert kept.notes == []


def test_a_root_that_goes_is_walked_and_followed_again_when_it_is_back(
    keep: Callable[[Path], Kept], folder: Path
) -> None:
    kept = keep(folder)
    shutil.rmtree(folder)
    assert kept.root.must_be_walked(1.0)
    assert [kept.root.must_be_walked(2.0), kept.root.ready] == [False, True]
    folder.mkdir()
    assert kept.root.must_be_walked(3.0)
    until(lambda: kept.root.ready, 10)
    (folder / "one").write_text("one")
    until(lambda: os.fsencode(folder / "one") in kept.told, 10)
    assert [note.split()[-1] for note in kept.notes] == ["back", "back"]


def test_another_folder_of_that_name_is_walked(keep: Callable[[Path], Kept], folder: Path) -> None:
    kept = keep(folder)
    folder.rename(folder.with_name("other"))
    folder.mkdir()
    assert kept.root.must_be_walked(1.0)


def test_a_root_that_is_a_file_is_looked_at(keep: Callable[[Path], Kept], folder: Path) -> None:
    file = folder / "one"
    file.write_text("one")
    kept = keep(file)
    assert not kept.root.must_be_walked(1.0)
    file.write_text("another")
    assert kept.root.must_be_walked(2.0)


def test_what_cannot_be_followed_is_looked_through_often(keep: Callable[[Path], Kept], tmp_path: Path) -> None:
    """A name that is not UTF-8 is one reason; no room for watches another."""
    folder = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), b"\xff")))
    folder.mkdir()
    kept = keep(folder)
    assert not kept.root.must_be_walked(1.0)
    assert kept.root.must_be_walked(LOOK_S)
    assert "cannot be followed" in kept.notes[0]
    assert len(kept.notes) == 1


def test_a_root_that_is_walked_by_a_schedule_is_told_of_again_some_time(tmp_path: Path) -> None:
    """Following begins anew, and fails anew where nothing has changed."""
    folder = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), b"\xff")))
    folder.mkdir()
    kept = Kept(folder, math.inf)
    kept.begin()
    assert not kept.root.must_be_walked(1.0)
    kept.root.must_be_walked(TELL_AGAIN_S)
    until(lambda: kept.root.ready, 10)
    kept.root.must_be_walked(TELL_AGAIN_S + 1)
    kept.root.end()
    assert len(kept.notes) == 2


def test_a_change_that_cannot_be_told_has_the_root_walked(keep: Callable[[Path], Kept], folder: Path) -> None:
    kept = keep(folder)
    Path(os.fsdecode(os.path.join(os.fsencode(folder), b"\xff"))).write_text("not UTF-8")
    until(lambda: kept.root.must_be_walked(1.0), 10)
    assert "could not be followed" in kept.notes[0]
    assert kept.root.must_be_walked(60.0), "another follower begins"
    until(lambda: kept.root.ready, 10)
    (folder / "one").write_text("one")
    until(lambda: os.fsencode(folder / "one") in kept.told, 10)
