from __future__ import annotations

import os
import shutil

import pytest

from cortex.sources.found import ScanOptions
from cortex.sources.scan import Scan


@pytest.fixture
def three(folder, settle):
    """A folder with three settled files in two directories."""
    for name in ("a/1", "a/2", "b/3"):
        folder.write(name)
    settle(folder)
    return folder


def test_a_deleted_file_is_missing(three, scan, ledger):
    os.remove(three / "a/1")
    assert scan(three).scan.missing == 1
    assert ledger.missing == [three / "a/1"]
    assert scan(three).scan.missing == 0


def test_what_is_missing_already_is_not_told_again(three, scan, ledger):
    os.remove(three / "a/1")
    scan(three)
    shutil.rmtree(three / "a")
    scan(three)
    assert ledger.missing == [three / "a/1", three / "a/2"]


def test_a_vanished_directory_is_missing_with_all_below(three, scan, ledger):
    three.write("a/deep/er/4")
    for found in scan(three).found:
        ledger.settle(found)
    shutil.rmtree(three / "a")
    assert scan(three).scan.missing == 3
    assert sorted(ledger.missing) == [three / "a/1", three / "a/2", three / "a/deep/er/4"]


@pytest.mark.parametrize(("old", "new"), [("a/1", "b/1"), ("a/1", "a/one"), ("b/3", "b/B3"), ("a/1", "A/1")])
def test_a_moved_file_is_found_at_its_new_place_and_missing_at_the_old(three, scan, ledger, old, new):
    os.makedirs(os.path.dirname(three / new), exist_ok=True)
    os.rename(three / old, three / new)
    assert scan(three).names == [new.encode()]
    assert ledger.missing == [three / old]


def test_a_moved_directory_is_found_and_missing(three, scan, ledger):
    os.rename(three / "a", three / "moved")
    assert scan(three).names == [b"moved/1", b"moved/2"]
    assert sorted(ledger.missing) == [three / "a/1", three / "a/2"]


def test_a_directory_in_place_of_a_file_and_the_other_way_round(three, scan, ledger):
    shutil.rmtree(three / "a")
    three.write("a")
    os.remove(three / "b/3")
    three.write("b/3/x")
    assert scan(three).names == [b"a", b"b/3/x"]
    assert sorted(ledger.missing) == [three / "a/1", three / "a/2", three / "b/3"]


def test_nothing_is_missing_before_the_scan_has_ended(three, ledger):
    os.remove(three / "a/1")
    three.write("b/new")
    three.write("c/new")
    files = iter(Scan([three.path], ScanOptions(), ledger=ledger, host="here", plan=b""))
    assert next(files).name == b"new"
    files.close()
    assert ledger.missing == []


@pytest.mark.parametrize("limit", [1, 100])
def test_nothing_is_missing_with_a_limit(three, scan, ledger, limit):
    os.remove(three / "a/1")
    three.write("new")
    assert scan(three, limit=limit).names == [b"new"]
    assert ledger.missing == []


def test_a_dry_run_counts_but_tells_nobody(three, scan, ledger):
    os.remove(three / "b/3")
    shutil.rmtree(three / "a")
    three.write("new")
    assert scan(three, reconcile=False).scan.missing == 3
    assert scan(three / "a", reconcile=False).scan.unreachable == [three / "a"]
    assert (ledger.missing, ledger.unreachable) == ([], [])


def test_only_the_paths_given_are_reconciled(three, scan, ledger):
    shutil.rmtree(three / "a")
    os.remove(three / "b/3")
    three.write("b/4")
    scan(three / "b")
    assert ledger.missing == [three / "b/3"]


@pytest.mark.parametrize(
    "options", [{"exclude": ("a",)}, {"exclude": ("/a/*",)}, {"includes": (("3",),)}, {"max_size": 1}]
)
def test_files_that_are_left_alone_now_keep_their_location(three, scan, ledger, options):
    scan(three, **options)
    assert (ledger.missing, ledger.unreachable) == ([], [])


def test_files_that_are_hidden_or_ignored_keep_their_location(folder, scan, settle, ledger):
    for name in (".hidden/1", ".2", "sub/3", "sub/deep/4", "kept"):
        folder.write(name)
    settle(folder, hidden=True)
    folder.write("sub/.loomignore", b"*\n")
    scan(folder)
    assert ledger.missing == []


def test_a_link_in_place_of_a_file_keeps_the_location(three, scan, ledger):
    os.rename(three / "a", three / "b/a")
    os.symlink(three / "b/a", three / "a")
    os.rename(three / "b/3", three / "b/three")
    os.symlink(three / "b/three", three / "b/3")
    assert scan(three).names == [b"b/three", b"b/a/1", b"b/a/2"]
    assert ledger.missing == []


def test_a_root_that_does_not_exist_is_unreachable(three, scan, ledger):
    shutil.rmtree(three / "a")
    ended = scan(three / "a", three / "b")
    assert ended.scan.unreachable == [three / "a"] == ledger.unreachable
    assert ended.scan.why_unreachable[three / "a"] == "there is no such file or folder"
    assert ended.scan.unchanged == 1
    assert ledger.missing == []


@pytest.mark.parametrize("rest", ["nothing", "an empty folder", "litter and hidden files"])
def test_a_root_that_shows_nothing_any_more_is_unreachable(three, scan, ledger, rest):
    shutil.rmtree(three.path)
    os.mkdir(three.path)
    if rest == "an empty folder":
        os.mkdir(three / "a")
    elif rest == "litter and hidden files":
        three.write(".keep")
        three.write("@eaDir/x")
    ended = scan(three)
    assert ended.scan.unreachable == [three.path] == ledger.unreachable
    assert ledger.missing == []


@pytest.mark.parametrize("rest", ["a link", "an excluded file", "an excluded folder", "a pipe"])
def test_a_root_that_shows_anything_else_is_reachable(three, scan, rest):
    shutil.rmtree(three.path)
    os.mkdir(three.path)
    if rest == "a link":
        os.symlink("nowhere", three / "link")
    elif rest == "a pipe":
        os.mkfifo(three / "pipe")
    else:
        three.write("excluded/x" if rest == "an excluded folder" else "excluded")
    ended = scan(three, exclude=("excluded",))
    assert (ended.scan.unreachable, ended.scan.missing) == ([], 3)


def test_an_empty_folder_that_was_never_full_is_no_problem(folder, scan):
    assert scan(folder).scan.unreachable == []


def test_a_subfolder_that_was_emptied_is_missing(three, scan, ledger):
    os.remove(three / "b/3")
    assert scan(three).scan.unreachable == []
    assert ledger.missing == [three / "b/3"]


def test_a_root_below_another_answers_for_itself(three, scan, ledger):
    shutil.rmtree(three / "a")
    os.mkdir(three / "a")
    ended = scan(three, three / "a")
    assert ended.scan.unreachable == [three / "a"] == ledger.unreachable
    assert ledger.missing == []


def test_nothing_is_counted_twice_where_roots_overlap(three, scan, settle):
    three.write("b/deep/4")
    settle(three)
    shutil.rmtree(three / "b/deep")
    assert scan(three, three / "b", reconcile=False).scan.missing == 1
    assert scan(three, listed=[three / "b", three.path], reconcile=False).scan.missing == 1
    shutil.rmtree(three / "a")
    assert scan(three, listed=[three.path], reconcile=False).scan.missing == 3
    shutil.rmtree(three / "b")
    three.write("new")
    ended = scan(three, three / "b", reconcile=False)
    assert (ended.scan.unreachable, ended.scan.missing) == ([three / "b"], 2)


def test_a_root_whose_only_content_is_another_root_is_reachable(folder, scan, settle, ledger):
    folder.write("disk/a")
    settle(folder)
    assert scan(folder, folder / "disk").scan.unreachable == []
    assert (ledger.missing, ledger.unreachable) == ([], [])


def test_what_was_unreachable_is_known_again_by_its_stat(three, scan, ledger):
    os.rename(three.path, three.path + b".away")
    scan(three)
    os.rename(three.path + b".away", three.path)
    three.write("a/2", b"written to since")
    assert [(found.relative, found.asset) for found in scan(three).found] == [(b"a/2", None)]
    assert ledger.returned == [[three / "a/1", three / "b/3"]]


def test_what_was_unreachable_and_has_work_left_is_found_with_its_content(three, scan, ledger):
    for files in ledger.directories.values():
        files.update((name, file._replace(settled=False, asset=b"a" * 32)) for name, file in list(files.items()))
    os.rename(three.path, three.path + b".away")
    scan(three)
    os.rename(three.path + b".away", three.path)
    assert [(found.relative, found.asset) for found in scan(three).found] == [
        (name, b"a" * 32) for name in (b"a/1", b"a/2", b"b/3")
    ]


def test_an_unreadable_subfolder_is_unreachable_with_all_below(open_folder, scan, settle, ledger, as_nobody):
    for name in ("closed/1", "closed/deep/2", "open/3"):
        open_folder.write(name)
    settle(open_folder)
    os.chmod(open_folder / "closed", 0)
    with as_nobody():
        ended = scan(open_folder)
    assert [(path, code) for path, code, _ in ended.scan.unreadable] == [(open_folder / "closed", "FILE_UNREADABLE")]
    assert ledger.unreachable == [open_folder / "closed"]
    assert ledger.missing == []
    assert ended.scan.unreachable == []


def test_a_folder_that_may_be_listed_but_not_searched_is_unreachable(open_folder, scan, settle, ledger, as_nobody):
    for name in ("closed/1", "closed/deep/2", "open/3"):
        open_folder.write(name)
    settle(open_folder)
    os.chmod(open_folder / "closed", 0o444)
    with as_nobody():
        ended = scan(open_folder)
    assert ended.scan.unreadable_total == 1
    assert ledger.unreachable == [open_folder / "closed"]
    assert ledger.missing == []


def test_a_root_that_shows_only_what_cannot_be_read_is_reachable(open_folder, scan, settle, ledger, as_nobody):
    open_folder.write("closed/1")
    settle(open_folder)
    os.chmod(open_folder / "closed", 0)
    with as_nobody():
        ended = scan(open_folder, reconcile=False)
    assert (ended.scan.unreachable, ended.scan.unreadable_total) == ([], 1)


def test_an_unreadable_root_is_unreachable(open_folder, scan, settle, as_nobody):
    open_folder.write("a")
    settle(open_folder)
    os.chmod(open_folder.path, 0)
    with as_nobody():
        ended = scan(open_folder, reconcile=False)
    assert ended.scan.unreachable == [open_folder.path]
    assert "denied" in ended.scan.why_unreachable[open_folder.path]


def test_a_directory_that_vanishes_during_the_scan_is_merely_gone(three, ledger):
    three.write("a/new")
    files = iter(scan := Scan([three.path], ScanOptions(), ledger=ledger, host="here", plan=b""))
    assert next(files).name == b"new"
    shutil.rmtree(three / "b")
    assert list(files) == []
    assert (scan.unreadable, ledger.missing) == ([], [three / "b/3"])
