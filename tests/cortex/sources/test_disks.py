"""Disks that are mounted below a root, and are away: what Loom remembers to lie on another device is not deleted."""

from __future__ import annotations

import os
import shutil

import pytest

ELSEWHERE = 2**40 + 1
"""A device that is not there."""


@pytest.fixture
def lay_on(ledger):
    """Has the settled files at and below a folder remembered as lying on another device."""

    def say(folder: bytes, device: int = ELSEWHERE) -> None:
        for directory, files in ledger.directories.items():
            if directory == folder or directory.startswith(folder + b"/"):
                for name, file in files.items():
                    files[name] = file._replace(device=device)

    return say


@pytest.fixture
def library(folder, settle, lay_on):
    """A folder with a file, and a disk in it with two more in a folder of their own."""
    for name in ("kept", "disk/1", "disk/deep/2"):
        folder.write(name)
    settle(folder)
    lay_on(folder / "disk")
    return folder


def empty(directory: bytes) -> None:
    shutil.rmtree(directory)
    os.mkdir(directory)


def test_files_of_a_disk_that_is_away_are_unreachable_however_often(library, scan, ledger):
    empty(library / "disk")
    for _ in range(2):
        ended = scan(library).scan
        assert ended.unreachable == [library / "disk"]
        assert "another disk" in ended.why_unreachable[library / "disk"]
        assert (ended.missing, ended.unchanged, ledger.missing) == (0, 1, [])
    assert set(ledger.unreachable) == {library / "disk"}
    assert all(file.present and not file.settled for file in ledger.directories[library / "disk/deep"].values())


def test_a_disk_that_is_back_is_as_before(library, scan, ledger):
    os.rename(library / "disk", library.path + b".away")
    os.mkdir(library / "disk")
    scan(library)
    os.rmdir(library / "disk")
    os.rename(library.path + b".away", library / "disk")
    (deep,) = ledger.directories[library / "disk/deep"].values()
    ledger.directories[library / "disk/deep"][b"2"] = deep._replace(inode=deep.inode + 1)
    ended = scan(library)
    assert [(found.relative, found.asset) for found in ended.found] == [(b"disk/deep/2", None)]
    assert (ended.scan.unchanged, ended.scan.unreachable, ledger.missing) == (2, [], [])
    assert ledger.returned == [[library / "disk/1"]]
    assert ledger.directories[library / "disk"][b"1"].device == os.stat(library / "disk").st_dev


def test_what_returned_is_told_in_batches_whatever_ends_the_scan(library, scan, ledger, monkeypatch):
    monkeypatch.setattr("cortex.sources.returned.BATCH", 2)
    ledger.mark_unreachable("here", library.path)
    library.write("new")
    dry = scan(library, reconcile=False)
    assert (dry.names, dry.scan.unchanged, ledger.returned) == ([b"new"], 3, [])
    assert scan(library, limit=5).names == [b"new"]
    assert sorted(map(len, ledger.returned)) == [1, 2]
    assert scan(library / "kept").scan.unchanged == 1


def test_a_single_file_that_returned_is_told_too(library, scan, ledger):
    ledger.mark_unreachable("here", library.path)
    ended = scan(library / "kept")
    assert (ended.found, ended.scan.unchanged, ledger.returned) == ([], 1, [[library / "kept"]])
    assert scan(library / "disk/1", rehash=True).names == [b"1"]


def test_a_folder_that_its_owner_emptied_is_missing(folder, scan, settle, ledger):
    for name in ("kept", "disk/1", "disk/deep/2"):
        folder.write(name)
    settle(folder)
    empty(folder / "disk")
    ended = scan(folder).scan
    assert (ended.unreachable, ended.missing) == ([], 2)
    assert sorted(ledger.missing) == [folder / "disk/1", folder / "disk/deep/2"]


def test_another_disk_in_its_place_has_files_of_its_own(library, scan, ledger):
    empty(library / "disk")
    library.write("disk/other")
    ended = scan(library)
    assert ended.names == [b"disk/other"]
    assert (ended.scan.unreachable, ended.scan.missing) == ([library / "disk"], 0)


def test_a_disk_of_which_the_folder_is_gone_too_is_named(library, scan, ledger):
    shutil.rmtree(library / "disk")
    assert scan(library).scan.unreachable == [library / "disk"]
    assert ledger.missing == []


def test_a_device_of_which_other_files_are_seen_again_has_another_number_now(library, scan, ledger):
    os.remove(library / "disk/1")
    ended = scan(library).scan
    assert (ended.unreachable, ended.missing) == ([], 1)
    assert ledger.missing == [library / "disk/1"]


def test_files_are_seen_again_though_they_are_numbered_anew(library, scan, ledger):
    os.remove(library / "disk/1")
    known = ledger.directories[library / "disk/deep"]
    known[b"2"] = known[b"2"]._replace(inode=known[b"2"].inode + 1)
    assert scan(library).scan.missing == 1


def test_one_disk_that_is_there_proves_nothing_of_another(library, scan, settle, ledger, lay_on):
    library.write("second/3")
    library.write("second/4")
    settle(library)
    lay_on(library / "disk")
    lay_on(library / "second", ELSEWHERE + 1)
    empty(library / "disk")
    os.remove(library / "second/3")
    ended = scan(library).scan
    assert (ended.unreachable, ended.missing) == ([library / "disk"], 1)
    assert ledger.missing == [library / "second/3"]


def test_a_root_that_shows_anything_is_what_it_was(folder, scan, settle, ledger, lay_on):
    """All of its files may have been moved away since it got another number."""
    for name in ("1", "sub/2"):
        folder.write(name)
    settle(folder)
    lay_on(folder.path)
    shutil.rmtree(folder.path)
    folder.write("new")
    ended = scan(folder).scan
    assert (ended.unreachable, ended.missing) == ([], 2)


def test_a_dry_run_says_so_and_marks_nothing(library, scan, ledger):
    empty(library / "disk")
    ended = scan(library, reconcile=False).scan
    assert (ended.unreachable, ended.missing) == ([library / "disk"], 0)
    assert ledger.unreachable == []


def test_where_another_root_answers_for_the_disk_it_is_named_once(library, scan):
    empty(library / "disk")
    assert scan(library, library / "disk").scan.unreachable == [library / "disk"]
