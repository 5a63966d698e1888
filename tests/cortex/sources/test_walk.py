from __future__ import annotations

import os

import pytest


def test_links_are_left_alone(folder, scan):
    folder.write("real/a")
    os.symlink("real", folder / "directory")
    os.symlink("real/a", folder / "file")
    os.symlink("nowhere", folder / "broken")
    assert scan(folder).names == [b"real/a"]


def test_links_are_followed_when_asked_for_after_everything_else(folder, scan, tmp_path):
    (tmp_path / "outside" / "sub").mkdir(parents=True)
    (tmp_path / "outside" / "sub" / "b").write_bytes(b"b")
    (tmp_path / "c").write_bytes(b"c")
    folder.write("real/a")
    os.symlink(tmp_path / "outside", folder / "link")
    os.symlink(tmp_path / "c", folder / "file")
    os.symlink("nowhere", folder / "broken")
    ended = scan(folder, follow_symlinks=True)
    assert ended.names == [b"real/a", b"file", b"link/sub/b"]
    assert ended.scan.unreadable == []


def test_what_a_link_leads_to_lies_where_it_really_is(folder, scan, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    os.symlink(tmp_path / "outside", folder / "link")
    os.symlink(tmp_path / "b", folder / "file")
    os.symlink(tmp_path / "b", folder / "again")
    places = [(found.directory, found.name) for found in scan(folder, follow_symlinks=True).found]
    assert places == [(os.fsencode(tmp_path), b"b"), (os.fsencode(tmp_path / "outside"), b"a")]


def test_links_to_files_that_were_seen_already_add_nothing(folder, scan, settle):
    folder.write("real/a")
    os.symlink("real/a", folder / "file")
    assert scan(folder, follow_symlinks=True).names == [b"real/a"]
    assert scan(folder / "file", folder).names == [b"file"]
    settle(folder / "file")
    assert scan(folder / "file", folder).scan.seen == 1


@pytest.mark.parametrize("target", [".", "..", "../..", "../sub", "self"])
def test_links_in_circles_end(folder, scan, target):
    folder.write("sub/deep/a")
    os.symlink(target, folder / "sub/deep/self")
    ended = scan(folder, follow_symlinks=True)
    assert ended.names == [b"sub/deep/a"]
    assert ended.scan.unreadable == []


def test_a_folder_that_is_reached_by_two_names_is_read_once(folder, scan):
    folder.write("real/a")
    os.symlink("real", folder / "link")
    os.symlink(".", folder / "real/self")
    assert scan(folder / "link", follow_symlinks=True).names == [b"a"]


def test_folders_that_link_to_each_other_are_read_once(folder, scan):
    for name in "abcdefgh":
        folder.write(f"{name}/file")
        for other in "abcdefgh":
            os.symlink(f"../{other}", folder / f"{name}/to-{other}")
    assert len(scan(folder, follow_symlinks=True).names) == 8


def test_a_folder_comes_under_its_own_path_rather_than_a_link(folder, scan):
    os.mkdir(folder / "a")
    folder.write("z/file")
    os.symlink("../z", folder / "a/link")
    assert scan(folder, follow_symlinks=True).names == [b"z/file"]


def test_a_link_outlasts_a_folder_it_led_to(folder, scan, settle, ledger, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a").write_bytes(b"a")
    folder.write("b")
    os.symlink(tmp_path / "disk", folder / "link")
    settle(folder, follow_symlinks=True)
    os.rename(tmp_path / "disk", tmp_path / "away")
    scan(folder, follow_symlinks=True)
    scan(folder)
    assert ledger.missing == []


def test_a_root_may_be_a_link(folder, scan):
    folder.write("real/a")
    os.symlink("real", folder / "link")
    os.symlink("real/a", folder / "file")
    assert [(f.directory, f.name) for f in scan(folder / "link").found] == [(folder / "link", b"a")]
    assert [(f.directory, f.name) for f in scan(folder / "file").found] == [(folder / "real", b"a")]


def test_patterns_hold_for_what_links_lead_to(folder, scan, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a").write_bytes(b"a")
    os.symlink(tmp_path / "outside", folder / "link")
    os.symlink(tmp_path / "outside/a", folder / "file")
    assert scan(folder, follow_symlinks=True, exclude=("link/", "file")).names == []
