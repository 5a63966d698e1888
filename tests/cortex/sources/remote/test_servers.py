"""Stores of real servers: SFTP, FTP with and without MLSD, FTP over TLS, WebDAV."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from remotes import FtpRemote, Remote, SftpRemote, home_in, say, served_as

from cortex.sources.remote.files import Version
from cortex.sources.remote.stores import open_store
from loom.errors import LoomError

NAMES = ["a b.txt", "ümläut.txt", "50% off.txt", "x%20y.txt", "#h?q&c.txt", " lead", "[1]*.txt", "new\nline"]
LARGE = os.urandom(1_500_000)


class Landing:
    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.part: Version | None = None
        self.total = 0

    def expect(self, size: int | None) -> None: ...
    def came(self, total: int) -> None:
        self.total = total


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return home_in(tmp_path, monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    (folder / "photos/sub dir").mkdir(parents=True)
    for name in NAMES:
        (folder / "photos" / name).write_text(name)
    (folder / "photos/sub dir/c.txt").write_text("deeper")
    (folder / "photos/large").write_bytes(LARGE)
    return folder


@pytest.fixture(params=["sftp", "ftp", "ftp-without-mlsd", "ftps", "dav"])
def remote(
    request: pytest.FixtureRequest, folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Remote]:
    remote = served_as(request.param, folder, home, monkeypatch)
    yield remote
    remote.close()


@pytest.fixture
def store(remote: Remote) -> Iterator[Any]:
    store = open_store(f"{remote.url}/photos", {})
    yield store
    store.close()


def test_listing_looking_and_reading(remote: Remote, store: Any, folder: Path, tmp_path: Path) -> None:
    listed = store.folder(store.root)
    files = dict(listed.files)
    line_breaks = {b"new\nline"} if remote.url.startswith("ftp") else set()
    assert set(files) | line_breaks == {b"large", *map(os.fsencode, NAMES)}
    assert set(listed.special) == line_breaks
    assert listed.folders == [b"sub dir"]
    assert [name for name, _ in store.folder(store.root + b"/sub dir").files] == [b"c.txt"]
    for name, version in files.items():
        path = folder / "photos" / os.fsdecode(name)
        seen = store.read(store.root + b"/" + name, Landing(tmp_path / "a"), version or Version(None, 0, ""))
        assert (tmp_path / "a").read_bytes() == path.read_bytes()
        assert (seen.size, seen.modified_ns // 10**9) == (path.stat().st_size, int(path.stat().st_mtime))
        assert seen == store.look(store.root + b"/" + name) == (version or seen)


def test_a_connection_that_was_cut_goes_on_where_it_was(remote: Remote, store: Any, tmp_path: Path) -> None:
    url, landing = store.root + b"/large", Landing(tmp_path / "a")
    version = store.look(url)
    remote.cuts["large"] = [700_000]
    with pytest.raises(LoomError) as caught:
        store.read(url, landing, version)
    assert caught.value.code == "READ_FAILED"
    there, remote.sent = landing.total, 0
    assert there > 0
    assert store.read(url, landing, version) == version
    assert (tmp_path / "a").read_bytes() == LARGE
    assert remote.sent <= len(LARGE) - there + 65536
    assert store.read(url, landing, version) == version  # it is there
    assert remote.sent <= len(LARGE) - there + 65536


def test_what_is_not_there(remote: Remote, store: Any) -> None:
    with pytest.raises(LoomError) as caught:
        store.folder(store.root + b"/nowhere")
    assert caught.value.code == "FILE_VANISHED"
    with pytest.raises(LoomError) as caught:
        store.read(store.root + b"/nowhere", Landing(Path("/dev/null")), Version(1, 0, ""))
    assert caught.value.code in ("FILE_VANISHED", "FILE_UNREADABLE")  # servers of FTP do not tell these apart
    assert store.folder(store.root).folders == [b"sub dir"]


def test_logins_that_are_refused(remote: Remote, home: Path) -> None:
    say(home, "wrong-4712")
    with pytest.raises(LoomError, match="refuses the login of 'anna' with the password of the netrc file") as caught:
        open_store(f"{remote.url}/photos", {})
    assert (caught.value.code, "4712" in str(caught.value)) == ("SOURCE_UNREACHABLE", False)
    (home / ".netrc").unlink()
    with pytest.raises(LoomError, match="without a password"):
        open_store(f"{remote.url}/photos", {})
    (home / ".netrc").write_text("machine\n")
    with pytest.raises(LoomError) as caught:
        open_store(f"{remote.url}/photos", {})
    assert caught.value.code == "CONFIG_INVALID"


@pytest.mark.parametrize("kind", ["sftp", "ftp", "dav"])
def test_a_server_that_is_not_there(kind: str, folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remote = served_as(kind, folder, home, monkeypatch)
    store = open_store(f"{remote.url}/photos", {})
    remote.close()
    with pytest.raises(LoomError) as caught:
        open_store(f"{remote.url}/photos", {})
    assert caught.value.code == "SOURCE_UNREACHABLE"
    with pytest.raises(LoomError) as caught:
        store.look(store.root + b"/large")
    assert caught.value.code == "READ_FAILED"
    store.close()


@pytest.mark.parametrize("scheme", ["sftp", "ftp", "webdav"])
def test_a_server_that_says_nothing(scheme: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sftp", "ftp", "web"):
        monkeypatch.setattr(f"cortex.sources.remote.{module}.CONNECT_S", 0.1)
        monkeypatch.setattr(f"cortex.sources.remote.{module}.READ_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(LoomError) as caught:
        open_store(f"{scheme}://127.0.0.1:{mute.getsockname()[1]}/photos", {})
    assert caught.value.code == "SOURCE_UNREACHABLE"


def test_a_server_whose_key_is_not_known(folder: Path, home: Path) -> None:
    remote = SftpRemote(folder, home)
    (home / ".ssh/known_hosts").unlink()
    with pytest.raises(LoomError, match="known_hosts") as caught:
        open_store(f"{remote.url}/photos", {})
    remote.close()
    assert caught.value.code == "SOURCE_UNREACHABLE"


def test_links_and_names_in_other_encodings(folder: Path, home: Path) -> None:
    (folder / "photos/link").symlink_to("large")
    (folder / "photos/loop").symlink_to(".")
    (folder / "photos" / os.fsdecode(b"caf\xe9")).write_text("latin")
    remote = SftpRemote(folder, home)
    store = open_store(f"{remote.url}/photos", {})
    listed = store.folder(store.root)
    store.close()
    remote.close()
    assert (set(listed.special), listed.folders) == ({b"link", b"loop"}, [b"sub dir"])
    assert b"caf\xe9" in dict(listed.files)


def test_a_server_of_ftp_that_allows_few_connections(folder: Path, home: Path, tmp_path: Path) -> None:
    remote = FtpRemote(folder, most=2)
    store = open_store(f"{remote.url}/photos", {})
    version = store.look(store.root + b"/large")
    failed: list[BaseException] = []

    def read(number: int) -> None:
        try:
            store.read(store.root + b"/large", Landing(tmp_path / str(number)), version)
        except LoomError as error:
            failed.append(error)

    read(0)
    held = [threading.Thread(target=read, args=(number,)) for number in range(1, 7)]
    for thread in held:
        thread.start()
    for thread in held:
        thread.join(20)
    store.close()
    remote.close()
    assert [str(error) for error in failed] == []
    assert all((tmp_path / str(number)).read_bytes() == LARGE for number in range(7))
