"""A scan of a store: here of a folder by way of fsspec's `file://`, which tells sizes and times."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from cortex.sources.found import Found, ScanOptions
from cortex.sources.loss import Loss
from cortex.sources.remote.files import Listed, Version
from cortex.sources.remote.fsspec import FsspecStore
from cortex.sources.remote.scan import MOST_DEEP, RemoteScan
from cortex.sources.watched import Watched
from loom.errors import LoomError

OLD = 1_700_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a.jpg", "b.txt", ".hidden.jpg", "2024/c.jpg", "2024/d.jpg", "aside/e.jpg"):
        path = tmp_path / "store" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
        os.utime(path, (OLD, OLD))
    return tmp_path / "store"


@pytest.fixture
def url(root: Path) -> bytes:
    return f"file://{root}".encode()


Scanned = tuple[RemoteScan, list[Found]]


@pytest.fixture
def scan(url: bytes, ledger: Any) -> Callable[..., Scanned]:
    def run(
        store: Any = None, listed: Sequence[bytes] | None = None, watched: Watched | None = None, **options: Any
    ) -> Scanned:
        made = RemoteScan(
            lambda: store or FsspecStore(url.decode(), {}), url, ScanOptions(**options), ledger=ledger, host="here",
            plan=b"plan", listed=listed, watched=watched,
        )  # fmt: skip
        return made, list(made)

    return run


@pytest.fixture
def settled(scan: Callable[..., Scanned], ledger: Any) -> None:
    for found in scan()[1]:
        ledger.settle(found)


def names(found: list[Found]) -> list[str]:
    return [os.fsdecode(one.relative) for one in found]


def test_what_is_in_the_store(scan: Callable[..., Scanned], url: bytes) -> None:
    made, found = scan()
    assert names(found) == ["a.jpg", "b.txt", "2024/c.jpg", "2024/d.jpg", "aside/e.jpg"]
    assert (found[2].path, found[2].stat.size, found[2].stat.mtime_ns) == (url + b"/2024/c.jpg", 10, OLD * 10**9)
    assert (made.seen, made.found, made.bytes) == (5, 5, 41)
    assert names(scan(includes=(("*.jpg",),), exclude=("2024/",), hidden=True)[1]) == [
        ".hidden.jpg", "a.jpg", "aside/e.jpg",
    ]  # fmt: skip
    assert names(scan(min_size=6, limit=1)[1]) == ["2024/c.jpg"]


@pytest.mark.usefixtures("settled")
def test_what_is_known_is_passed_over(scan: Callable[..., Scanned], root: Path) -> None:
    made, found = scan()
    assert (names(found), made.unchanged, made.missing) == ([], 5, 0)
    os.utime(root / "a.jpg", (OLD, OLD + 60))
    (root / "b.txt").write_bytes(b"longer than before")
    assert names(scan()[1]) == ["a.jpg", "b.txt"]
    assert len(scan(rehash=True)[1]) == 5


@pytest.mark.usefixtures("settled")
def test_what_is_gone(scan: Callable[..., Scanned], root: Path, ledger: Any, url: bytes) -> None:
    (root / "a.jpg").unlink()
    for path in (root / "2024/c.jpg", root / "2024/d.jpg"):
        path.unlink()
    (root / "2024").rmdir()
    assert scan(limit=100)[0].missing == 0
    assert scan(reconcile=False)[0].missing == 3
    assert ledger.missing == []
    assert scan()[0].missing == 3
    assert sorted(ledger.missing) == [url + name for name in (b"/2024/c.jpg", b"/2024/d.jpg", b"/a.jpg")]


@pytest.mark.usefixtures("settled")
def test_what_is_left_alone_is_not_gone(scan: Callable[..., Scanned], ledger: Any) -> None:
    made, _ = scan(exclude=("aside/", "*.txt"))
    assert (made.unchanged, made.missing, ledger.missing) == (3, 0, [])


@pytest.mark.usefixtures("settled")
def test_a_store_that_shows_nothing(scan: Callable[..., Scanned], root: Path, ledger: Any, url: bytes) -> None:
    for path in root.rglob("*.*"):
        path.unlink()
    made, _ = scan()
    assert (made.unreachable, ledger.unreachable, ledger.missing) == ([url], [url], [])


@pytest.mark.usefixtures("settled")
def test_a_folder_that_cannot_be_listed(
    scan: Callable[..., Scanned], ledger: Any, url: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cortex.sources.remote.scan._FIRST_PAUSE_S", 0.0)

    class Refusing(FsspecStore):
        code = "FILE_UNREADABLE"

        def folder(self, url: bytes) -> Listed:
            if url.endswith(b"/2024"):
                raise LoomError(self.code, "not today")
            return super().folder(url)

    store = Refusing(url.decode(), {})
    made, _ = scan(store)
    assert (made.unreadable, made.unreachable) == ([(url + b"/2024", "FILE_UNREADABLE", "not today")], [])
    assert (made.missing, ledger.unreachable) == (0, [url + b"/2024"])
    store.code = "READ_FAILED"
    made, _ = scan(store)
    assert (made.unreachable, made.why_unreachable) == ([url], {url: "not today"})
    assert (made.missing, ledger.unreachable[1:]) == (0, [url + b"/2024", url + b"/aside"])


def test_a_store_that_is_not_there(scan: Callable[..., Scanned], tmp_path: Path, url: bytes) -> None:
    made, found = scan(FsspecStore(f"file://{tmp_path}/nowhere", {}))
    assert (found, made.unreachable) == ([], [url])


@pytest.mark.usefixtures("settled")
def test_single_files(scan: Callable[..., Scanned], url: bytes) -> None:
    made, found = scan(listed=[url + b"/.hidden.jpg", b"/elsewhere/a.jpg", url + b"/2024/c.jpg"])
    assert names(found) == [".hidden.jpg", "2024/c.jpg"]
    assert [(path, code) for path, code, _ in made.unreadable] == [(b"/elsewhere/a.jpg", "NOT_FOUND")]
    assert made.missing == 0
    assert found[1].remote is not None
    assert found[1].remote.version is None


def test_a_pattern_without_meaning(scan: Callable[..., Scanned]) -> None:
    with pytest.raises(LoomError) as caught:
        scan(exclude=("[z-a]",))
    assert caught.value.code == "USAGE"


def test_folders_that_lead_around(scan: Callable[..., Scanned], url: bytes) -> None:
    """As links do that some servers follow in their listings."""

    class Around(FsspecStore):
        def folder(self, url: bytes) -> Listed:
            return Listed([(b"a.jpg", Version(1, OLD, ""))], [b"loop"], [])

    made, found = scan(Around(url.decode(), {}))
    assert made.special == [url + b"/loop" * (MOST_DEEP + 1)]
    assert len(found) == MOST_DEEP + 1


@pytest.mark.usefixtures("settled")
def test_a_watch_takes_what_is_ready_and_is_asked_what_may_go(
    scan: Callable[..., Scanned], root: Path, url: bytes, ledger: Any
) -> None:
    asked: list[tuple[int, bool]] = []

    class Strict:
        answer = False

        def may_go(self, loss: Loss) -> bool:
            asked.append((loss.number, loss.still_gone(loss.some)))
            return self.answer

        def counted(self, root: bytes, number: int) -> None:
            asked.append((number, True))

    (root / "new.jpg").write_bytes(b"still written to")
    (root / "a.jpg").rename(root / "moved.jpg")
    (root / "2024/c.jpg").unlink()
    watched = Watched(ready=lambda path, status: status.st_mtime_ns == OLD * 10**9, guard=(guard := Strict()))
    made, found = scan(watched=watched)
    assert (names(found), made.missing, ledger.missing) == (["moved.jpg"], 0, [])
    assert asked == [(1, True)]  # what was moved is not lost
    guard.answer = True
    assert scan(watched=watched)[0].missing == 2
    assert asked[1:] == [(1, True), (1, True)]
    assert watched.unreachable == set()
    for path in root.rglob("*.*"):
        path.unlink()
    scan(watched=watched)
    assert watched.unreachable == {url}
