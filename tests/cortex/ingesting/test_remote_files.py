"""Whole ingests of files that lie in a store: a real server of S3 on loopback, real Loom, real workers."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ingests import HOST
from remote_runs import Ingesting
from stores import Served, s3_server, web_server

from loom.service.loom import LocalLoom

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "ignore:Unclosed:ResourceWarning")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, real_images: list[Path]) -> Iterator[Served]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    served = s3_server()
    for number, path in enumerate(real_images[:6]):
        served.put(f"/archive/photos/{number % 2}/{path.name}", path.read_bytes())
    served.put("/archive/letters/not-asked-for.txt", b"elsewhere")
    yield served
    served.close()


@pytest.fixture
def web() -> Iterator[Served]:
    served = web_server()
    yield served
    served.close()


def bucket(store: Served, **more: Any) -> dict[str, Any]:
    return {"url": "s3://archive/photos", "endpoint_url": store.url, "region": "us-east-1", **more}


def states(loom: LocalLoom, path: str) -> str:
    asset = loom.asset_by_path(HOST, path.encode())
    return next(str(one.state) for one in asset.locations if one.path == path)


def test_what_has_not_changed_is_not_read_again(store: Served, ingest: Ingesting, loom: LocalLoom) -> None:
    first = ingest("source.s3", bucket(store))
    assert (first.code, first.assets) == (0, {"seen": 6, "new": 6, "completed": 6})
    assert sorted(store.reads()) == sorted(path for path in store.files if "photos" in path)
    some = next(path for path in store.files if "/photos/1/" in path)
    assert loom.asset_by_path(HOST, f"s3:/{some}".encode()).locations[0].path == f"s3:/{some}"
    assert list(loom.places(HOST)) == []  # `source.loom` has files of this machine

    store.asked.clear()
    again = ingest("source.s3", bucket(store))
    assert again.assets == {"seen": 6, "unchanged": 6, "completed": 6}
    assert {path for _, path in store.asked} == {"/archive"}


def test_changed_and_vanished_objects(store: Served, ingest: Ingesting, loom: LocalLoom, real_image: Path) -> None:
    ingest("source.s3", bucket(store))
    changed, gone, touched = [path for path in sorted(store.files) if "/photos/" in path][:3]
    store.put(changed, real_image.read_bytes() + b"\0")
    store.put(touched, store.files[touched].data, changed=1_750_000_000)
    del store.files[gone]
    store.asked.clear()
    run = ingest("source.s3", bucket(store))
    assert (run.code, store.reads()) == (0, [changed])
    assert (run.assets["unchanged"], run.assets["seen"]) == (4, 5)
    assert states(loom, f"s3:/{gone}") == "missing"
    assert states(loom, f"s3:/{changed}") == "present"


@pytest.mark.slow
def test_a_connection_that_was_cut_goes_on_where_it_was(store: Served, web: Served, ingest: Ingesting) -> None:
    data = os.urandom(2_000_000)
    store.put("/archive/photos/large.bin", data)
    store.cuts["/archive/photos/large.bin"] = [1_500_000, 300_000]
    assert ingest("source.s3", bucket(store, include=["*.bin"])).assets["completed"] == 1
    web.put("/large.bin", data[::-1])
    web.cuts["/large.bin"] = [1_500_000, 300_000]
    assert ingest("source.fsspec", {"url": web.url}).assets["completed"] == 1
    for served in (store, web):
        assert len(served.sent) == 3
        assert sum(served.sent) < 3_000_000


def test_a_key_that_is_a_file_and_a_folder(store: Served, ingest: Ingesting, loom: LocalLoom) -> None:
    store.put("/archive/photos/2024", b"a file")
    store.put("/archive/photos/2024/a.txt", b"one below it")
    store.put("/archive/photos/2024/", b"")
    config = bucket(store, include=["2024", "2024/*.txt"])
    assert ingest("source.s3", config).assets == {"seen": 2, "new": 2, "completed": 2}
    assert states(loom, "s3://archive/photos/2024") == states(loom, "s3://archive/photos/2024/a.txt") == "present"
    store.asked.clear()
    assert ingest("source.s3", config).assets["unchanged"] == 2
    assert store.reads() == []


@pytest.mark.slow
def test_a_server_that_is_away(store: Served, ingest: Ingesting, loom: LocalLoom) -> None:
    ingest("source.s3", bucket(store))
    path = next(path for path in store.files if "/photos/" in path)
    store.answer = lambda method, path: 503
    run = ingest("source.s3", bucket(store))
    assert (run.code, run.summary["unreachable"]) == (4, ["s3://archive/photos"])
    assert states(loom, f"s3:/{path}") == "unreachable"
    store.answer = lambda method, path: None
    store.asked.clear()
    back = ingest("source.s3", bucket(store))
    assert (back.code, back.assets["unchanged"], store.reads()) == (0, 6, [])
    assert states(loom, f"s3:/{path}") == "present"


@pytest.mark.slow
def test_an_emptied_bucket_is_taken_for_another_one(store: Served, ingest: Ingesting, loom: LocalLoom) -> None:
    ingest("source.s3", bucket(store))
    path = next(path for path in store.files if "/photos/" in path)
    for name in [name for name in store.files if "/photos/" in name]:
        del store.files[name]
    assert ingest("source.s3", bucket(store)).code == 4
    assert states(loom, f"s3:/{path}") == "unreachable"


@pytest.mark.slow
def test_a_server_that_goes_away_in_the_middle(
    store: Served, ingest: Ingesting, loom: LocalLoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cortex.engine.fetching._FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("cortex.engine.fetching.LOST", 2)
    known = [path for path in sorted(store.files) if "/photos/" in path]
    lost = set(known[3:])
    store.answer = lambda method, path: 403 if path in lost and method == "HEAD" else 503 if path in lost else None
    run = ingest("source.s3", bucket(store))
    assert (run.code, run.summary["unreachable"]) == (4, ["s3://archive/photos"])
    assert run.assets["new"] == 3
    store.answer = lambda method, path: None
    store.asked.clear()
    after = ingest("source.s3", bucket(store))
    assert (after.code, after.assets["unchanged"], set(store.reads())) == (0, 3, lost)


def test_an_object_that_changes_between_listing_and_reading(store: Served, ingest: Ingesting, real_image: Path) -> None:
    path = next(path for path in sorted(store.files) if "/photos/" in path)

    def change(method: str, asked: str) -> None:
        if asked == path and method == "GET" and len(store.reads()) and store.files[path].changed != 1_750_000_000:
            store.put(path, real_image.read_bytes() + b"\0\0", changed=1_750_000_000)

    store.answer = change  # type: ignore[assignment]
    run = ingest("source.s3", bucket(store))
    assert (run.code, run.assets["completed"]) == (0, 6)
    assert store.reads().count(path) == 2
    store.asked.clear()
    assert ingest("source.s3", bucket(store)).assets["unchanged"] == 6
    assert store.reads() == []


@pytest.mark.slow
def test_content_that_is_known_is_a_copy(store: Served, ingest: Ingesting, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    for path, stored in store.files.items():
        if "/photos/" in path:
            (folder / os.path.basename(path)).write_bytes(stored.data)
    ingest("source.filesystem", {}, paths=(folder,))
    run = ingest("source.s3", bucket(store))
    assert (run.assets["moved"], run.summary["nodes"]["sha256"]["remote"]) == (6, 6)
    assert run.summary["nodes"]["sha256"]["computed"] == 0


@pytest.mark.slow
def test_a_dry_run_reads_and_leaves_nothing(store: Served, ingest: Ingesting, loom: LocalLoom) -> None:
    run = ingest("source.s3", bucket(store, include=["0/*"]), dry_run=True)
    assert (run.assets, run.summary["would_write"]["results"]) == ({"seen": 3, "new": 3, "completed": 3}, 3)
    assert loom.assets().items == []


@pytest.mark.slow
def test_the_scratch_folder_is_bounded(
    store: Served, ingest: Ingesting, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    largest = max(len(one.data) for one in store.files.values())
    monkeypatch.setenv("CORTEX_SCRATCH_LIMIT", str(largest))
    sizes: list[int] = []

    def look(method: str, path: str) -> None:
        found = [one.stat().st_size for one in scratch.glob("remote-*/[0-9]*") if one.exists()]
        sizes.append(sum(found))

    store.answer = look  # type: ignore[assignment]
    assert ingest("source.s3", bucket(store)).assets["completed"] == 6
    assert 0 < max(sizes) <= largest


@pytest.mark.slow
def test_sinks_get_the_bytes_where_they_lie(store: Served, ingest: Ingesting, tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    copy = {"id": "copy", "operator": "sink.copy", "config": {"to": str(tmp_path / "to")}}
    first = ingest("source.s3", bucket(store), copy)
    assert (first.code, [(one.code, one.message) for one in first.heard.failures]) == (0, [])
    copied = {path.name: path.read_bytes() for path in (tmp_path / "to").iterdir()}
    assert copied == {os.path.basename(path): one.data for path, one in store.files.items() if "/photos/" in path}
    assert {path.stat().st_mtime for path in (tmp_path / "to").iterdir()} == {1_700_000_000}

    move = {"id": "move", "operator": "sink.move", "config": {"to": str(tmp_path / "to"), "confirm": True}}
    run = ingest("source.s3", bucket(store), move)
    assert (run.code, {code for _, code in run.failures}) == (3, {"OPERATOR_FAILED"})


def test_addresses_in_a_list(web: Served, ingest: Ingesting, tmp_path: Path, real_images: list[Path]) -> None:
    for path in real_images[:3]:
        web.put(f"/photos/{path.name}", path.read_bytes())
    web.knows_head = False
    addresses = [f"{web.url}{path}" for path in web.files]
    (tmp_path / "list").write_text("\n".join([*addresses, str(real_images[3]), f"{web.url}/photos/none.jpg"]))
    config = {"list": str(tmp_path / "list")}
    run = ingest("source.list", config)
    assert (run.code, run.assets) == (3, {"seen": 4, "new": 4, "completed": 4, "unreadable": 1})
    assert run.failures == [(f"{web.url}/photos/none.jpg", "FILE_VANISHED")]
    web.knows_head = True
    web.asked.clear()
    assert ingest("source.list", config).assets["unchanged"] == 4
    assert web.reads() == []
    web.put("/photos/" + real_images[0].name, real_images[4].read_bytes())
    assert ingest("source.list", config).assets["unchanged"] == 3
    assert web.reads() == ["/photos/" + real_images[0].name]


@pytest.mark.slow
def test_the_listing_of_a_web_server(web: Served, ingest: Ingesting, real_images: list[Path]) -> None:
    for number, path in enumerate(real_images[:4]):
        web.put(f"/photos/{number % 2}/{path.name}", path.read_bytes())
    config = {"url": f"{web.url}/photos/", "exclude": ["1/"]}
    assert ingest("source.fsspec", config).assets == {"seen": 2, "new": 2, "completed": 2}
    web.asked.clear()
    assert ingest("source.fsspec", config).assets["unchanged"] == 2
    assert web.reads() == []


@pytest.mark.slow
def test_what_hangs_does_not_hold_up_the_end(store: Served, ingest: Ingesting) -> None:
    """The server sends nothing more of a file when the ingest is interrupted."""
    store.put("/archive/photos/0/large.bin", os.urandom(1 << 20))
    store.hanging.add("/archive/photos/0/large.bin")
    waiting = threading.Event()

    def interrupt(method: str, path: str) -> None:
        if path.endswith("large.bin") and not waiting.is_set():
            waiting.set()
            os.kill(os.getpid(), 2)

    store.answer = interrupt  # type: ignore[assignment]
    run = ingest("source.s3", bucket(store))
    assert (run.code, waiting.is_set()) == (130, True)
