from __future__ import annotations

import os

import pytest

from cortex.sources.ignore import compile_patterns, is_litter


def test_hidden_files_and_folders_are_left_alone_unless_asked_for(folder, scan):
    for name in (".a", ".sub/b", "c", "sub/.d"):
        folder.write(name)
    assert scan(folder).names == [b"c"]
    assert scan(folder, hidden=True).names == [b".a", b"c", b".sub/b", b"sub/.d"]


@pytest.mark.parametrize(
    "name",
    [
        "@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found", ".Trash-1000",
        ".DS_Store", "Thumbs.db", "thumbs.db", "desktop.ini", "Desktop.ini", ".loom-source",
    ],
)  # fmt: skip
def test_litter_is_left_alone_even_with_hidden_files(folder, scan, name):
    assert is_litter(name.encode())
    folder.write(f"{name}/a")
    folder.write(f"sub/{name}")
    folder.write("b")
    assert scan(folder, hidden=True).names == [b"b"]


def test_excluded_folders_are_not_entered(folder, scan, ledger):
    for name in ("raw/a.jpg", "deep/raw/b.jpg", "c.jpg", "c.tmp", "raw.jpg"):
        folder.write(name)
    ended = scan(folder, exclude=("raw/", "*.tmp"))
    assert ended.names == [b"c.jpg", b"raw.jpg"]
    assert folder / "raw" not in ledger.asked


def test_exclude_is_anchored_by_a_slash_and_undone_by_a_bang(folder, scan):
    for name in ("a", "sub/a", "x.tmp", "keep.tmp"):
        folder.write(name)
    assert scan(folder, exclude=("/a", "*.tmp", "!keep.tmp")).names == [b"keep.tmp", b"sub/a"]


def test_a_file_must_match_a_pattern_of_every_group_of_includes(folder, scan):
    for name in ("a.jpg", "b.png", "sub/a.jpg", "sub/c.txt"):
        folder.write(name)
    assert scan(folder, includes=(("*.jpg", "*.png"),)).names == [b"a.jpg", b"b.png", b"sub/a.jpg"]
    assert scan(folder, includes=(("*.jpg", "*.png"), ("a.*",))).names == [b"a.jpg", b"sub/a.jpg"]
    assert scan(folder, includes=(("sub/**",),), exclude=("*.txt",)).names == [b"sub/a.jpg"]


def test_patterns_match_any_bytes(folder, scan):
    for name in (b"\xff.tmp", b"new\nline.tmp", b"\xff.jpg"):
        folder.write(name)
    assert scan(folder, exclude=("*.tmp",)).names == [b"\xff.jpg"]
    assert scan(folder, exclude=(os.fsdecode(b"\xff") + ".*",)).names == [b"new\nline.tmp"]


def test_an_ignore_file_holds_for_its_folder_and_below(folder, scan):
    for name in ("a.raw", "sub/a.raw", "sub/deep/b.raw", "sub/deep/keep.raw", "sub/only", "only"):
        folder.write(name)
    folder.write("sub/.loomignore", b"# comment\n*.raw\n/only\n")
    folder.write("sub/deep/.loomignore", b"!keep.raw\n")
    assert scan(folder).names == [b"a.raw", b"only", b"sub/deep/keep.raw"]


def test_an_ignore_file_leaves_folders_alone(folder, scan, ledger):
    folder.write("sub/cache/a")
    folder.write("cache")
    folder.write(".loomignore", b"cache/\n")
    assert scan(folder).names == [b"cache"]
    assert folder / "sub/cache" not in ledger.asked


def test_lines_without_meaning_are_passed_over(folder, scan):
    folder.write(".loomignore", b"!\n[z-a]\n\\\n\n\xff*\n*.tmp\n")
    for name in (b"a.tmp", b"b", b"\xffc"):
        folder.write(name)
    assert scan(folder).names == [b"b"]


def test_lines_end_as_on_any_system_and_at_nothing_else(folder, scan):
    folder.write(".loomignore", "a\r\nb\u2028c\n".encode())
    for name in ("a", "b", "c", "b\u2028c"):
        folder.write(name)
    assert scan(folder).names == [b"b", b"c"]


@pytest.mark.parametrize("kind", ["folder", "pipe", "broken link"])
def test_an_ignore_file_that_is_no_file_says_nothing(folder, scan, kind):
    if kind == "folder":
        os.mkdir(folder / ".loomignore")
    elif kind == "pipe":
        os.mkfifo(folder / ".loomignore")
    else:
        os.symlink("nowhere", folder / ".loomignore")
    folder.write("a")
    assert scan(folder).names == [b"a"]


def test_an_unreadable_ignore_file_makes_its_folder_unreadable(open_folder, scan, as_nobody):
    open_folder.write("a/.loomignore", b"secret\n")
    open_folder.write("a/secret")
    open_folder.write("b/c")
    os.chmod(open_folder / "a/.loomignore", 0)
    with as_nobody():
        ended = scan(open_folder)
    assert ended.names == [b"b/c"]
    assert [path for path, _, _ in ended.scan.unreadable] == [open_folder / "a"]


@pytest.mark.parametrize("pattern", ["!", "[z-a]", "a\\"])
def test_patterns_without_meaning_are_refused(pattern):
    with pytest.raises(ValueError, match=r".+"):
        compile_patterns([pattern])
