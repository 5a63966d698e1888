"""Whole ingests over SFTP, FTP and WebDAV: real servers on loopback, real Loom, real workers."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ingests import HOST
from programs import age
from remote_runs import Ingesting
from remotes import PASSWORD, Remote, home_in, say, served_as

from loom.service.loom import LocalLoom

NAMES = ["a b.txt", "ümläut.txt", "50% off.txt", "sub dir/deeper/c.txt"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return home_in(tmp_path, monkeypatch)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    photos = tmp_path / "served/photos"
    for name in NAMES:
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        (photos / name).write_text(name)
    age(photos)
    return photos


@pytest.fixture(params=["sftp", "ftp", "ftp-without-mlsd", "dav"])
def remote(
    request: pytest.FixtureRequest, photos: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Remote]:
    remote = served_as(request.param, photos.parent, home, monkeypatch)
    yield remote
    remote.close()


def state(loom: LocalLoom, path: str) -> str:
    asset = loom.asset_by_path(HOST, path.encode())
    return next(str(one.state) for one in asset.locations if one.path == path)


def test_what_has_not_changed_is_neither_read_nor_computed(
    remote: Remote,
    ingest: Ingesting,
    loom: LocalLoom,
    photos: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    config = {"url": f"{remote.url}/photos"}
    first = ingest("source.fsspec", config)
    assert (first.code, first.assets) == (0, {"seen": 4, "new": 4, "completed": 4})
    assert sorted(remote.read) == sorted(map(os.path.basename, NAMES))
    assert all(state(loom, f"{remote.url}/photos/{name}") == "present" for name in NAMES)
    remote.read.clear()
    again = ingest("source.fsspec", config)
    assert (again.assets, remote.read) == ({"seen": 4, "unchanged": 4, "completed": 4}, [])
    assert again.summary["runs"] == [] or again.summary["nodes"]["sha256"]["computed"] == 0

    (photos / NAMES[0]).write_text("something else")
    (photos / NAMES[3]).unlink()
    third = ingest("source.fsspec", config)
    assert (third.assets["unchanged"], third.assets["new"], remote.read) == (2, 1, [NAMES[0]])
    assert state(loom, f"{remote.url}/photos/{NAMES[3]}") == "missing"

    say(photos.parent.parent / "home", "wrong-4712")
    refused = ingest("source.fsspec", config)
    assert (refused.code, refused.summary["unreachable"]) == (4, [config["url"]])
    assert state(loom, f"{remote.url}/photos/{NAMES[1]}") == "unreachable"
    written = [path.read_bytes() for path in (tmp_path / "loom").rglob("*") if path.is_file()]
    told = [caplog.text, *capfd.readouterr(), *(json.dumps(run.summary, default=str) for run in (first, refused))]
    told += [str(one) for one in refused.heard.failures]
    for secret in (PASSWORD, "wrong-4712"):
        assert not any(secret.encode() in one for one in written)
        assert not any(secret in one for one in told)


@pytest.mark.slow
def test_a_connection_that_breaks_again_and_again(
    remote: Remote, ingest: Ingesting, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More often than it is tried again without getting on."""
    monkeypatch.setattr("cortex.engine.fetching._FIRST_PAUSE_S", 0.01)
    (photos / "large.bin").write_bytes(os.urandom(8_000_000))
    age(photos)
    # what WebDAV and FTP are cut after is counted from where they go on, with SFTP from the beginning
    from_the_beginning = remote.url.startswith("sftp")
    remote.cuts["large.bin"] = [1_000_000 * (step if from_the_beginning else 1) for step in range(1, 8)]
    run = ingest("source.fsspec", {"url": f"{remote.url}/photos", "include": ["*.bin"]})
    assert (run.code, run.assets["completed"], remote.cuts["large.bin"]) == (0, 1, [])
    assert remote.read == ["large.bin"] * 8
    assert remote.sent < 14_000_000
