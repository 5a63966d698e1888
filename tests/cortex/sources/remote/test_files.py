from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cortex.sources.remote.files import Remote, Version
from cortex.sources.remote.fsspec import _nanoseconds
from cortex.sources.remote.scratch import Scratch
from loom.errors import LoomError
from loom.model import KnownFile

NOW = 1_800_000_000 * 10**9


def known(version: Version, *, settled: bool = True) -> KnownFile:
    stat = version.stat
    return KnownFile(b"a", stat.size, stat.mtime_ns, stat.inode, 0, True, settled, None if settled else b"a" * 32)


def test_by_what_a_version_is_known_again() -> None:
    one = Version(10, NOW, "abc")
    assert one.is_as(known(one._replace(modified_ns=5)))
    assert not one.is_as(known(one._replace(etag="abd")))
    assert not one.is_as(known(one._replace(size=11)))
    timed = Version(10, NOW, "")
    assert timed.is_as(known(timed))
    assert not timed.is_as(known(timed._replace(modified_ns=NOW + 1)))
    nothing = Version(10, 0, "")
    assert not nothing.is_as(known(nothing))


def test_which_versions_can_be_trusted() -> None:
    assert Version(1, 0, "abc").is_trusted(NOW)
    assert Version(1, NOW - 2 * 10**9, "").is_trusted(NOW)
    assert not Version(1, NOW - 10**9, "").is_trusted(NOW)
    assert not Version(1, 0, "").is_trusted(NOW)


def test_which_answers_may_be_about_the_same_content() -> None:
    one = Version(10, NOW, "abc")
    assert one.is_same(Version(None, 0, ""))
    assert one.is_same(Version(10, NOW + 5, "abc"))
    assert not one.is_same(Version(10, NOW, "abd"))
    assert not one.is_same(Version(9, NOW, "abc"))
    assert not Version(10, NOW, "").is_same(Version(10, NOW + 1, ""))


class Restless:
    """A store in which a file is another one at each look, but for the last ones."""

    def __init__(self, *etags: str) -> None:
        self.etags = list(etags)
        self.reads = 0

    def look(self, url: bytes) -> Version:
        return Version(3, 0, self.etags.pop(0) if len(self.etags) > 1 else self.etags[0])

    def read(self, url: bytes, landing: object, version: Version) -> Version:
        self.reads += 1
        return self.look(url)


class Nowhere:
    path = ""
    part: Version | None = None

    def expect(self, size: int | None) -> None: ...
    def came(self, total: int) -> None: ...


def test_a_file_that_changes_while_it_is_read_is_read_again() -> None:
    store = Restless("a", "b", "c", "c")
    assert Remote(store, b"u", b"o").bring(Nowhere()).version.etag == "c"
    assert store.reads == 3
    with pytest.raises(LoomError) as caught:
        Remote(Restless(*"abcdefgh"), b"u", b"o").bring(Nowhere())
    assert caught.value.code == "CHANGED_WHILE_READ"


def test_what_is_unchanged_is_not_read() -> None:
    store = Restless("a")
    remote = Remote(store, b"u", b"o", known=known(Version(3, 0, "a")))
    assert (remote.bring(Nowhere()).unchanged, store.reads) == (True, 0)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), 1_700_000_000),
        (datetime(2023, 11, 14, 22, 13, 20), 1_700_000_000),
        ("2023-11-14T22:13:20Z", 1_700_000_000),
        ("Tue, 14 Nov 2023 22:13:20 GMT", 1_700_000_000),
        (1_700_000_000, 1_700_000_000),
        ("lately", 0),
        (None, 0),
    ],
)
def test_times_as_stores_tell_them(told: object, seconds: int) -> None:
    assert _nanoseconds(told) == seconds * 10**9


def test_the_scratch_folder_has_bounded_room(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "scratch", 100, most_files=2)
    looks = iter([True, True, False])
    assert scratch.take(1000, lambda: True)  # alone
    assert not scratch.take(1, lambda: next(looks))
    scratch.release(b"/nowhere", 1000)
    assert scratch.take(60, lambda: True)
    assert scratch.take(40, lambda: True)
    looks = iter([True, False])
    scratch.resize(60, 10)
    assert not scratch.take(1, lambda: next(looks))  # two files are the most
    scratch.remove()
    assert not (tmp_path / "scratch").exists()


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "remote-left"
    left.mkdir()
    (left / ".held").touch()
    (left / "7.jpg").write_bytes(b"left")
    (tmp_path / "remote-barely-made").mkdir()
    (tmp_path / "somebody's").mkdir()
    first = Scratch(tmp_path, 100)
    second = Scratch(tmp_path, 100)
    assert {path.name for path in tmp_path.iterdir()} == {first.path.name, second.path.name, "somebody's"}
    first.remove()
    second.remove()


def test_a_scratch_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LoomError) as caught:
        Scratch(tmp_path / "file", 100)
    assert caught.value.code == "CONFIG_INVALID"
    assert os.listdir(tmp_path) == ["file"]
