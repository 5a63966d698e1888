"""How remote files are brought here: several at a time, bounded, tried again, and not for a store that is away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from programs import until

from cortex.engine import fetching
from cortex.engine.fetching import Fetcher
from cortex.sources.counts import Counts
from cortex.sources.found import Found
from cortex.sources.remote.files import Landing, Remote, Version
from cortex.sources.remote.landing import Kept, begun
from loom.errors import LoomError
from loom.model import FileStat


class Files(Counts):
    def __init__(self) -> None:
        super().__init__()
        self.arrived: list[bytes] = []
        self.vanished: list[bytes] = []
        self.closed = False

    def has_arrived(self, found: Found) -> None:
        self.arrived.append(found.name)

    def was_unchanged(self, found: Found, version: Version) -> None: ...

    def has_vanished(self, found: Found) -> None:
        self.vanished.append(found.name)

    def close(self) -> None:
        self.closed = True


class Helm:
    paused = False
    stopped = False


class Store:
    """Ten bytes under each name; `fails` is asked before one is read for the how-manieth time."""

    def __init__(self) -> None:
        self.reads: list[bytes] = []
        self.fails: Callable[[bytes, int], LoomError | None] = lambda name, time: None
        self.waits: Callable[[Landing], None] = lambda landing: None

    def look(self, url: bytes) -> Version:
        return Version(10, 1_700_000_000 * 10**9, url.decode())

    def read(self, url: bytes, landing: Landing, version: Version) -> Version:
        self.reads.append(url)
        if (error := self.fails(url, self.reads.count(url))) is not None:
            raise error
        Path(landing.path).write_bytes(b"0123456789")
        self.waits(landing)
        landing.came(10)
        return self.look(url)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(fetching, "_FIRST_PAUSE_S", 0.01)
    return Store()


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def fetcher(files: Files, tmp_path: Path) -> Iterator[Fetcher]:
    fetcher = Fetcher(files, tmp_path / "scratch", 30, 0)
    yield fetcher
    fetcher.close()
    assert files.closed
    assert not (tmp_path / "scratch").exists()


def found(store: Store, *names: str, remote: bool = True) -> Iterator[Found]:
    for name in map(str.encode, names):
        there = Remote(store, name, b"store", store.look(name)) if remote else None
        yield Found(b"store", name, name, FileStat(10, 0, 0, 0), None, False, remote=there)


def released(arrived: Iterator[Found]) -> list[str]:
    names = []
    for one in arrived:
        if one.local is not None:
            assert Path(one.local.path.decode()).read_bytes() == b"0123456789"
            one.local.release()
        names.append(one.name.decode())
    return names


def test_files_are_brought_and_others_pass(fetcher: Fetcher, store: Store, files: Files) -> None:
    names = [f"{number}.jpg" for number in range(40)]
    both = [*found(store, *names), *found(store, "here", remote=False)]
    assert sorted(released(fetcher.through(iter(both), Helm()))) == sorted([*names, "here"])
    assert len(files.arrived) == 40


def test_what_is_brought_has_the_stat_of_the_store_and_its_suffix(fetcher: Fetcher, store: Store) -> None:
    (one,) = fetcher.through(found(store, "a.jpg"), Helm())
    assert one.local is not None
    assert one.stat == store.look(b"a.jpg").stat
    assert (one.local.stat.size, one.local.stat.mtime_ns, one.local.trusted) == (10, 1_700_000_000 * 10**9, True)
    assert one.local.path.endswith(b".jpg")
    one.local.release()


def test_no_more_is_brought_than_there_is_room_for(fetcher: Fetcher, store: Store, tmp_path: Path) -> None:
    arrived = fetcher.through(found(store, *map(str, range(20))), Helm())
    first = [next(arrived) for _ in range(3)]
    threading.Event().wait(0.2)
    assert len(list(tmp_path.glob("scratch/*/[0-9]*"))) == 3
    for one in first:
        assert one.local is not None
        one.local.release()
    assert len(released(arrived)) == 17


def test_what_fails_is_tried_again(fetcher: Fetcher, store: Store, files: Files) -> None:
    gone, broken = LoomError("FILE_VANISHED"), LoomError("READ_FAILED", "reset")
    store.fails = lambda name, time: {b"gone": gone, b"lost": broken, b"once": broken if time == 1 else None}.get(name)
    assert released(fetcher.through(found(store, "gone", "lost", "once", "fine"), Helm())) == ["fine", "once"]
    assert (files.vanished, files.unreadable) == ([b"gone"], [(b"store/lost", "READ_FAILED", "reset")])
    assert {name: store.reads.count(name) for name in (b"gone", b"lost", b"once")} == {
        b"gone": 1, b"lost": 4, b"once": 2,
    }  # fmt: skip


@pytest.mark.parametrize(("each", "reads"), [(300_000, 12), (1000, 4)])
def test_what_gets_on_is_tried_as_often_as_it_takes(
    fetcher: Fetcher, store: Store, files: Files, monkeypatch: pytest.MonkeyPatch, each: int, reads: int
) -> None:
    """The first bytes stay for the next try, and are worth one if they are enough."""
    size = 3_400_000
    monkeypatch.setattr(store, "look", lambda url: Version(size, 1_700_000_000 * 10**9, "a"))

    def read(url: bytes, landing: Landing, version: Version) -> Version:
        store.reads.append(url)
        with Kept(landing, begun(landing, version)) as kept:
            kept.write(bytes(min(each, size - kept.total)))
            if kept.total < size:
                raise LoomError("READ_FAILED", "reset")
        return version

    monkeypatch.setattr(store, "read", read)
    arrived = list(fetcher.through(found(store, "large"), Helm()))
    assert len(store.reads) == reads
    assert len(arrived) == (each > 1000)
    for one in arrived:
        assert one.local is not None
        assert one.local.stat.size == size
        one.local.release()


def test_a_store_that_went_away_is_asked_no_more(fetcher: Fetcher, store: Store, files: Files) -> None:
    store.fails = lambda name, time: LoomError("READ_FAILED", "reset")
    assert released(fetcher.through(found(store, *map(str, range(500))), Helm())) == []
    assert files.unreachable == [b"store"]
    assert files.unreadable_total == fetching.LOST
    assert len(set(store.reads)) < 100


def test_a_full_disk_ends_it(fetcher: Fetcher, store: Store) -> None:
    store.fails = lambda name, time: LoomError("DISK_FULL")
    with pytest.raises(LoomError) as caught:
        list(fetcher.through(found(store, "a"), Helm()))
    assert caught.value.code == "DISK_FULL"


def test_a_pause_holds_and_a_stop_ends(fetcher: Fetcher, store: Store) -> None:
    helm: Any = Helm()
    helm.paused = True
    came: list[str] = []
    thread = threading.Thread(
        target=lambda: came.extend(released(fetcher.through(found(store, *map(str, range(20))), helm)))
    )
    thread.start()
    threading.Event().wait(0.2)
    assert store.reads == []
    helm.paused = False
    until(lambda: store.reads)
    thread.join()
    assert len(came) == 20

    going = threading.Event()

    def hang(landing: Landing) -> None:
        going.set()
        until(lambda: helm.stopped)

    store.waits = hang
    thread = threading.Thread(target=lambda: came.extend(released(fetcher.through(found(store, "last"), helm))))
    thread.start()
    assert going.wait(10)
    helm.stopped = True
    thread.join()
    assert "last" not in came


def test_the_limit_for_reading_holds(files: Files, store: Store, tmp_path: Path) -> None:
    """Ten bytes each at 20 a second: after the first two or three it takes half a second for each."""
    fetcher = Fetcher(files, tmp_path / "slow", 1000, 20)
    helm: Any = Helm()
    thread = threading.Thread(target=lambda: released(fetcher.through(found(store, *map(str, range(12))), helm)))
    thread.start()
    until(lambda: len(store.reads) >= 2)
    assert len(store.reads) < 8
    helm.stopped = True
    thread.join()
    fetcher.close()
