"""A scan for several lanes, each with options of its own."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from cortex.sources.found import ScanOptions
from cortex.sources.lanes import LaneOptions
from cortex.sources.scan import Scan
from loom.errors import LoomError

PLAN = b"p" * 32


def lane(*paths: str, **options: object) -> LaneOptions:
    return LaneOptions(ScanOptions(**options), paths)


@pytest.fixture
def offered(folder, ledger) -> Callable[..., dict[str, tuple[int, ...] | None]]:
    """The lanes that may have a file, by its path below the folder."""

    def run(*lanes: LaneOptions, listed: tuple[bytes, ...] = ()) -> dict[str, tuple[int, ...] | None]:
        roots = () if listed else (folder.path,)
        scan = Scan(roots, ScanOptions(), ledger=ledger, host="here", plan=PLAN, listed=listed, lanes=lanes)
        return {os.fsdecode(found.name): found.lanes for found in scan}

    return run


def test_a_file_is_offered_to_the_lanes_whose_source_lets_it_pass(folder, offered):
    for name in ("a.jpg", "b.txt", "raw/c.jpg", ".hidden/d.jpg", ".hidden/.e.txt"):
        folder.write(name)
    folder.write("big.jpg", b"x" * 100)
    folder.write("@eaDir/litter")
    lanes = (
        lane(includes=(("*.jpg",),), max_size=10),
        lane(exclude=("raw/",)),
        lane(exclude=("*.jpg",), hidden=True),
    )
    assert offered(*lanes) == {
        "a.jpg": (0, 1), "b.txt": (1, 2), "big.jpg": (1,), "c.jpg": (0,), ".e.txt": (2,),
    }  # fmt: skip


def test_what_all_may_have_is_marked_for_nobody_in_particular(folder, offered):
    folder.write("a.jpg")
    folder.write("b.txt")
    assert offered(lane(exclude=("*.txt",)), lane()) == {"a.jpg": None, "b.txt": (1,)}


def test_a_file_that_only_paths_leave_alone_is_still_found(folder, offered):
    for name in ("sub/a", "b"):
        folder.write(name)
    assert offered(lane("sub/**")) == {"a": None, "b": ()}
    assert offered(lane("sub/**"), lane("*", exclude=("b",))) == {"a": (0,), "b": ()}


def test_ignore_files_hold_for_all(folder, offered):
    for name in ("sub/a", "sub/b"):
        folder.write(name)
    folder.write("sub/.loomignore", b"a\n")
    assert offered(lane(exclude=("c",)), lane(hidden=True)) == {"b": None, ".loomignore": (1,)}


def test_a_named_file_may_be_hidden(folder, offered):
    path = folder.write(".a.jpg")
    assert offered(lane(), lane(exclude=("*.jpg",)), listed=(path,)) == {".a.jpg": (0,)}


def test_links_are_followed_for_those_that_want_it(folder, offered, tmp_path):
    folder.write("plain")
    (tmp_path / "elsewhere").write_text("linked")
    os.symlink(tmp_path / "elsewhere", folder / "link")
    assert offered(lane(), lane(follow_symlinks=True)) == {"plain": None, "elsewhere": (1,)}


def test_a_file_is_settled_under_a_digest_for_those_that_may_have_it(folder, ledger):
    for name in ("a.jpg", "b.txt", "c.txt"):
        folder.write(name)
    lanes = (lane(exclude=("*.txt",)), lane())
    found = {one.name: one for one in Scan([folder.path], ScanOptions(), ledger=None, host="", plan=PLAN, lanes=lanes)}
    digests = [found[name].settles for name in (b"a.jpg", b"b.txt", b"c.txt")]
    assert digests[0] is None
    assert digests[1] == digests[2] not in (None, PLAN)
    asked = []
    ledger.known_files = lambda host, directories, plan: [asked.append(plan) or []]
    list(Scan([folder.path], ScanOptions(), ledger=ledger, host="", plan=PLAN, lanes=lanes))
    assert set(asked) == {PLAN, digests[1]}


def test_what_is_gone_is_noticed_whoever_might_have_had_it(folder, ledger):
    for name in ("a.jpg", "b.txt", "c.txt", "left.txt"):
        folder.write(name)
    for found in Scan([folder.path], ScanOptions(), ledger=ledger, host="", plan=PLAN):
        ledger.settle(found)
    os.remove(folder / "a.jpg")
    os.remove(folder / "c.txt")
    lanes = (lane(exclude=("*.txt",)), lane(exclude=("left*",)))
    scan = Scan([folder.path], ScanOptions(), ledger=ledger, host="", plan=PLAN, lanes=lanes)
    assert list(scan) == []
    assert (scan.unchanged, scan.missing) == (1, 2)
    assert sorted(ledger.missing) == [folder / "a.jpg", folder / "c.txt"]


def test_a_pattern_without_meaning_is_refused():
    with pytest.raises(LoomError, match="pattern"):
        Scan([], ScanOptions(), ledger=None, host="", plan=PLAN, lanes=[lane(), lane(exclude=("!",))])
