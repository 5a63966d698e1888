"""What changes become: folders to be looked at or walked, roots to be walked whole. Real files, a clock of its own."""

import os
from pathlib import Path

import pytest

from cortex.sources.watched import Changed
from cortex.watching.pending import AGAIN_S, GATHER_S, MANY, Pending, Work
from cortex.watching.settling import Settling

WALL = 2_000_000_000 * 10**9


class Told:
    """A pending root with a clock: files are written at `now` unless `age` says how old they are."""

    def __init__(self, path: Path, leaves: str = "") -> None:
        self.path = path
        self.root = os.fsencode(path)
        self.now = 0.0
        self.pending = Pending(Settling(2.0), lambda _, one: bool(leaves) and one.endswith(leaves.encode()))
        self.pending.add(self.root)

    def file(self, name: str, *, age: float = 0.0) -> bytes:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        at = WALL + int((self.now - age) * 1e9)
        os.utime(path, ns=(at, at))
        return os.fsencode(path)

    def tell(self, *paths: bytes) -> None:
        self.pending.changed(self.root, paths)
        self.look()

    def look(self, *, after: float = 0.0) -> None:
        self.now += after
        self.pending.look(now=self.now, wall_ns=WALL + int(self.now * 1e9))

    def take(self, *, after: float = GATHER_S) -> Work | None:
        self.look(after=after)
        due = self.pending.due([self.root])
        return None if due is None or due > self.now else self.pending.take([self.root])

    def changed(self, *, after: float = GATHER_S) -> Changed | None:
        work = self.take(after=after)
        assert work is not None, "there is nothing to do"
        assert work.roots == (self.root,)
        return work.changed.get(self.root)


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


def test_a_settled_file_has_its_folder_looked_at(told: Told) -> None:
    path = told.file("a/one.jpg", age=100)
    told.tell(path)
    assert told.take(after=0) is None, "changes are gathered"
    assert told.changed() == Changed(folders=frozenset({os.path.dirname(path)}))
    assert told.take() is None
    assert told.pending.next_look() is None


def test_a_file_that_is_written_to_waits_and_delays_no_other(told: Told) -> None:
    growing = told.file("a/growing")
    told.tell(growing, told.file("b/old", age=100))
    assert told.changed() == Changed(folders=frozenset({os.path.join(told.root, b"b")}))
    told.file("a/growing")
    told.tell(growing)
    assert told.take(after=1.9) is None
    assert told.take(after=0.2) is None, "it has just settled, and others may follow"
    assert told.changed() == Changed(folders=frozenset({os.path.dirname(growing)}))


def test_what_is_gone_may_have_been_a_folder(told: Told) -> None:
    gone = os.path.join(told.root, b"a", b"gone")
    told.tell(gone)
    assert told.changed() == Changed(folders=frozenset({os.path.dirname(gone)}), trees=frozenset({gone}))


def test_a_file_that_went_while_it_was_waited_for(told: Told) -> None:
    path = told.file("brief")
    told.tell(path)
    os.remove(path)
    told.look(after=2.5)
    assert told.changed() == Changed(folders=frozenset({told.root}), trees=frozenset({path}))


def test_a_folder_that_came_is_walked_twice(told: Told) -> None:
    told.file("new/deep/one.jpg", age=100)
    folder = os.path.join(told.root, b"new")
    told.tell(folder)
    assert told.changed() == Changed(trees=frozenset({folder}))
    assert told.take(after=1) is None
    told.look(after=AGAIN_S)
    assert told.changed() == Changed(trees=frozenset({folder}))
    assert told.pending.next_look() is None


def test_new_rules_have_their_folder_walked(told: Told) -> None:
    path = told.file("a/.loomignore", age=100)
    told.tell(path)
    assert told.changed() == Changed(trees=frozenset({os.path.dirname(path)}))
    told.tell(told.file(".loomignore", age=100))
    assert told.changed() is None, "those of the root are for all of it"


def test_rules_that_go_have_their_folder_walked_too(told: Told) -> None:
    path = told.file("a/.loomignore", age=100)
    os.unlink(path)
    told.tell(path)
    assert told.changed() == Changed(trees=frozenset({os.path.dirname(path)}))


def test_new_rules_have_the_roots_walked_that_lie_in_their_folder(told: Told) -> None:
    inner, other = (os.path.join(told.root, name) for name in (b"a/in", b"b"))
    for root in (inner, other):
        told.pending.add(root)
    told.tell(told.file("a/.loomignore", age=100))
    told.look(after=GATHER_S)
    work = told.pending.take([told.root, inner, other])
    assert set(work.roots) == {told.root, inner}
    assert inner not in work.changed, "it is walked whole"


def test_the_root_itself_and_many_changes_have_it_walked_whole(told: Told) -> None:
    told.tell(told.root)
    assert told.changed() is None
    told.tell(*(os.path.join(told.root, b"%d" % number) for number in range(MANY + 1)))
    assert told.changed() is None


def test_what_means_nothing_is_passed_over(tmp_path: Path) -> None:
    told = Told(tmp_path, leaves=".part")
    told.tell(told.file("film.mp4.part", age=100))
    assert told.take() is None


def test_what_could_not_be_done_is_not_lost(told: Told) -> None:
    told.tell(told.file("a/one", age=100))
    first = told.take()
    assert first is not None
    told.pending.give_back(first)
    told.tell(told.file("b/two", age=100))
    assert told.changed() == Changed(folders=frozenset({os.path.join(told.root, name) for name in (b"a", b"b")}))
    told.pending.whole(told.root)
    whole = told.take(after=0) or told.take()
    assert whole is not None
    told.pending.give_back(whole)
    assert (told.take(after=0) or told.take()) == Work((told.root,), {})


def test_a_file_that_a_scan_found_too_early_is_looked_at_again(told: Told) -> None:
    path = told.file("a/young")
    assert not told.pending.is_ready(path, os.stat(path), now=told.now, wall_ns=WALL)
    assert told.pending.next_look() == pytest.approx(2)
    told.look(after=2)
    assert told.changed() == Changed(folders=frozenset({os.path.dirname(path)}))


def test_a_change_belongs_to_the_innermost_root(tmp_path: Path) -> None:
    told = Told(tmp_path)
    path = told.file("inner/one", age=100)
    inner = os.path.dirname(path)
    roots = (told.root, inner)
    told.pending.add(inner)
    for root in roots:
        told.pending.changed(root, [path])
    told.look()
    assert (told.pending.due(roots), told.pending.due([told.root])) == (GATHER_S, None)
    assert told.pending.take(roots) == Work((inner,), {inner: Changed(folders=frozenset({inner}))})
    told.pending.whole(told.root)
    told.look(after=1.0)
    assert told.pending.take([inner]) == Work((inner,), {})
    assert told.pending.due([told.root]) == 1.0 + GATHER_S, "what is not taken stays"
    assert told.pending.take(roots) == Work((told.root,), {})


def test_a_root_that_is_not_watched_any_more_is_forgotten(tmp_path: Path) -> None:
    told = Told(tmp_path)
    inner = os.path.join(told.root, b"inner")
    told.pending.add(inner)
    told.pending.changed(inner, [told.file("inner/growing"), told.file("inner/old", age=100)])
    told.look()
    assert told.pending.next_look() is not None
    told.pending.remove(inner)
    assert told.pending.next_look() is None
    told.pending.changed(inner, [told.file("inner/late", age=100)])
    assert told.take() is None


def test_what_is_gathered_for_long_has_the_root_walked_whole(told: Told) -> None:
    """As in quiet hours."""
    half = MANY // 4 + 1
    for part in range(4):
        told.tell(*(os.path.join(told.root, b"%d" % part, b"%d" % number) for number in range(half)))
    assert told.changed() is None
    assert told.take() is None
