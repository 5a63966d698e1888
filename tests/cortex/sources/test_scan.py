from __future__ import annotations

import os
import socket
import tracemalloc

import pytest

from cortex.sources.found import ScanOptions
from cortex.sources.scan import Scan, absolute
from loom.errors import LoomError
from loom.model import KnownFile


def test_files_of_a_directory_come_by_name_before_its_subdirectories(folder, scan):
    for name in ("b/2.jpg", "b/1.jpg", "a-1/x", "a/y", "z", "B", "a/sub/w"):
        folder.write(name)
    assert scan(folder).names == [b"B", b"z", b"a/y", b"a/sub/w", b"a-1/x", b"b/1.jpg", b"b/2.jpg"]


def test_a_found_file_says_where_it_lies_and_what_stat_says(folder, scan):
    path = folder.write("sub/one", b"12345")
    (found,) = scan(folder).found
    status = os.stat(path)
    assert (found.directory, found.name) == (folder / "sub", b"one")
    assert found.stat == (5, status.st_mtime_ns, status.st_ino, status.st_dev)
    assert (found.asset, found.known) == (None, False)


def test_settled_files_with_an_equal_stat_are_only_counted(folder, scan, settle):
    folder.write("a", b"123")
    folder.write("sub/b", b"4567")
    settle(folder)
    folder.write("new", b"89")
    again = scan(folder)
    assert again.names == [b"new"]
    assert (again.scan.seen, again.scan.unchanged, again.scan.bytes) == (3, 2, 9)
    assert (again.scan.found, again.scan.bytes_found) == (1, 2)


@pytest.mark.parametrize("change", ["size", "mtime", "inode"])
def test_a_change_of_stat_makes_a_file_need_work(folder, scan, settle, change):
    path = folder.write("a")
    settle(folder)
    before = os.stat(path)
    if change == "size":
        folder.write("a", b"longer content")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif change == "mtime":
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    else:
        folder.write("copy")
        os.utime(folder / "copy", ns=(before.st_atime_ns, before.st_mtime_ns))
        os.replace(folder / "copy", path)
    (found,) = scan(folder).found
    assert found.known
    assert found.asset is None


def test_a_file_that_is_known_but_not_settled_comes_with_its_content(folder, scan, ledger):
    folder.write("a")
    ledger.settle(scan(folder).found[0], settled=False)
    assert scan(folder).found[0].asset == b"a" * 32
    assert scan(folder, rehash=True).found[0].asset is None
    folder.write("a", b"changed")
    os.utime(folder / "a", ns=(0, 0))
    assert scan(folder).found[0].asset is None


def test_rehash_trusts_no_stat(folder, scan, settle):
    folder.write("a")
    settle(folder)
    assert scan(folder, rehash=True).names == [b"a"]


def test_each_directory_is_looked_up_once_and_lazily(folder, ledger):
    folder.write("a/1")
    folder.write("b/2")
    files = iter(Scan([folder.path], ScanOptions(), ledger=ledger, host="here", plan=b""))
    next(files)
    assert ledger.asked == [folder.path, folder / "a"]
    assert len(list(files)) == 1
    assert ledger.asked == [folder.path, folder / "a", folder / "b"]


def test_without_a_ledger_everything_needs_work(folder):
    folder.write("a")
    scan = Scan([folder.path], ScanOptions(), ledger=None, host="here", plan=b"")
    assert [found.name for found in scan] == [b"a"]
    assert scan.unreachable == []


def test_special_files_are_left_alone(folder, scan):
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.fsdecode(folder / "socket"))
        folder.write("a")
        ended = scan(folder)
    assert ended.names == [b"a"]
    assert (sorted(ended.scan.special), ended.scan.special_total) == ([folder / "pipe", folder / "socket"], 2)
    assert ended.scan.unreadable == []


def test_names_may_be_any_bytes(folder, scan):
    names = sorted([b"\xff\xfe", b"new\nline", b"n" * 255, b" ", b"-rf", "é".encode(), b"*"])
    for name in names:
        folder.write(name)
        folder.write(os.path.join(b"sub", name, b"x"))
    assert scan(folder).names == names + [os.path.join(b"sub", name, b"x") for name in names]


def test_sizes_out_of_bounds_are_not_seen(folder, scan):
    for size in (1, 2, 3, 4):
        folder.write(f"{size}", b"x" * size)
    ended = scan(folder, min_size=2, max_size=3)
    assert ended.names == [b"2", b"3"]
    assert ended.scan.seen == 2


def test_a_root_may_be_a_single_file_hidden_or_not(folder, scan, settle):
    path = folder.write(".hidden.jpg")
    folder.write("other.jpg")
    ended = scan(path)
    assert ended.names == [b".hidden.jpg"]
    assert ended.found[0].directory == folder.path
    settle(path)
    assert scan(path).scan.unchanged == 1


def test_a_file_named_beside_its_folder_comes_once(folder, scan, settle):
    path = folder.write("a")
    folder.write("b")
    assert sorted(scan(folder, path).names) == [b"a", b"b"]
    settle(folder, path)
    assert scan(path, folder).scan.seen == 2


def test_patterns_hold_for_single_files_too(folder, scan):
    path = folder.write("a.tmp")
    assert scan(path, exclude=("*.tmp",)).names == []


def test_a_directory_is_read_once_however_the_roots_overlap(folder, scan):
    folder.write("a/b/x")
    folder.write("a/y")
    ended = scan(folder, folder / "a/b", folder, folder / "a/../a")
    assert sorted(found.name for found in ended.found) == [b"x", b"y"]
    assert ended.scan.unreachable == []


def test_listed_files_are_read_lazily_and_may_be_gone(folder, ledger):
    folder.write("a")
    folder.write("sub/b")

    def paths():
        yield folder / "a"
        yield folder / "gone"
        yield folder / "sub"
        raise AssertionError("read too far")

    scan = Scan([], ScanOptions(limit=2), ledger=ledger, host="here", plan=b"", listed=paths())
    assert [found.name for found in scan] == [b"a", b"b"]
    assert [(path, code) for path, code, _ in scan.unreadable] == [(folder / "gone", "FILE_VANISHED")]
    assert scan.unreachable == []


def test_listed_files_of_one_directory_are_looked_up_together(folder, scan, ledger):
    scan(listed=[folder.write("a"), folder.write("b"), folder.write("sub/c")])
    assert ledger.asked == [folder.path, folder / "sub"]


def test_listed_paths_keep_the_folders_they_were_given_with(folder, scan, monkeypatch):
    folder.write("raw/a")
    monkeypatch.chdir(os.fsdecode(folder.path))
    assert scan(listed=[b"./raw/a"]).names == [b"raw/a"]
    assert scan(listed=[folder / "raw/a"]).names == [(folder / "raw/a").lstrip(b"/")]


def test_paths_with_a_zero_byte_are_unreadable(folder, scan):
    assert scan(listed=[b"a\0b"]).scan.unreadable_total == 1


def test_a_special_file_as_root_is_unreadable(folder, scan):
    os.mkfifo(folder / "pipe")
    assert [code for _, code, _ in scan(folder / "pipe").scan.unreadable] == ["NOT_A_REGULAR_FILE"]


def test_a_pattern_without_meaning_is_wrong_usage(folder, scan):
    with pytest.raises(LoomError) as error:
        scan(folder, exclude=("!",))
    assert error.value.code == "USAGE"


def test_absolute_paths_keep_links_but_not_dots(folder, monkeypatch):
    os.mkdir(folder / "real")
    os.makedirs(folder / "elsewhere/deep")
    os.symlink(folder / "elsewhere/deep", folder / "real/link")
    monkeypatch.chdir(os.fsdecode(folder.path))
    assert absolute(b"real/./link//x") == folder / "real/link/x"
    assert absolute(b"real/link/../x") == os.path.realpath(folder / "elsewhere/x")
    assert absolute(b"//tmp") == b"/tmp"


class Settled:
    """Says of every file that is there that it is settled, and keeps none in memory."""

    def known_files(self, host, directories, plan):
        with os.scandir(directories[0]) as entries:
            files = [(entry.name, entry.stat()) for entry in entries if entry.is_file()]
        return [[KnownFile(n, s.st_size, s.st_mtime_ns, s.st_ino, s.st_dev, True, True) for n, s in files]]

    def known_directories(self, host, root):
        return []


def test_memory_does_not_grow_with_the_number_of_unchanged_files(folder):
    def peak(root: bytes, count: int) -> int:
        scan = Scan([root], ScanOptions(), ledger=Settled(), host="here", plan=b"")
        tracemalloc.start()
        assert list(scan) == []
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert scan.unchanged == count
        return size

    for directory in range(200):
        os.makedirs(folder / f"all/{directory // 20}/{directory}")
        for number in range(100):
            open(folder / f"all/{directory // 20}/{directory}/{number}", "wb").close()
    peak(folder / "all/1", 2_000)
    few, many = peak(folder / "all/0", 2_000), peak(folder / "all", 20_000)
    assert many - few < 64 * 1024
