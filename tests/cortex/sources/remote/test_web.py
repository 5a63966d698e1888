from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from stores import Served, web_server

from cortex.sources.remote.files import Version
from cortex.sources.remote.web import Web, origin_of, place_of, shown_place
from loom.errors import LoomError


@pytest.fixture
def served() -> Iterator[Served]:
    served = web_server()
    yield served
    served.close()


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web(max_size=100)
    yield web
    web.close()


class Landing:
    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.part: Version | None = None
        self.total = 0

    def expect(self, size: int | None) -> None: ...
    def came(self, total: int) -> None:
        self.total = total


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("HTTPS://Example.ORG/a/b.jpg#top", "https://example.org/a/b.jpg"),
        ("http://[::1]:8080/a.jpg?id=7&from=x/y", "http://[::1]:8080/a.jpg?id=7&from=x%2Fy"),
    ],
)
def test_the_form_in_which_an_address_is_kept(address: str, place: str) -> None:
    assert place_of(address.encode()) == place.encode()


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "ftp://host/a", "https://anna:secret@host/a", "https://token@host/a", "https:///a",
     "https://host/a?X-Amz-Signature=1&b=2", "https://host/a?token=1", "https://host/folder/", "https://host",
     "https://host:port/a", "https://ho st/a", "https://host/" + "a" * 3000],
)  # fmt: skip
def test_addresses_that_are_not_fetched(address: str) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z].*[.]$") as caught:
        place_of(address.encode())
    assert "secret" not in str(caught.value)


def test_what_is_secret_is_not_shown() -> None:
    assert shown_place(b"https://anna:secret@host/a?token=1") == b"https://host/a"
    assert origin_of(b"https://host:8/a/b") == b"https://host:8"


def test_looking_and_reading(served: Served, web: Web, tmp_path: Path) -> None:
    served.put("/a.txt", b"content")
    url = f"{served.url}/a.txt".encode()
    looked = web.look(url)
    assert (looked.size, looked.modified_ns, looked.etag) == (7, 1_700_000_000 * 10**9, served.files["/a.txt"].etag)
    assert [method for method, _ in served.asked] == ["HEAD"]
    served.knows_head = False
    assert web.look(url) == looked
    assert web.read(url, Landing(tmp_path / "a"), looked) == looked
    assert (tmp_path / "a").read_bytes() == b"content"


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "FILE_VANISHED"), (410, "FILE_VANISHED"), (401, "FILE_UNREADABLE"), (429, "READ_FAILED"),
     (500, "READ_FAILED"), (204, "FILE_UNREADABLE"), (-1, "READ_FAILED")],
)  # fmt: skip
def test_what_a_server_refuses(served: Served, web: Web, status: int, code: str) -> None:
    served.answer = lambda method, path: status
    with pytest.raises(LoomError) as caught:
        web.look(f"{served.url}/a.txt".encode())
    assert caught.value.code == code


def test_what_is_too_large(served: Served, web: Web, tmp_path: Path) -> None:
    served.put("/large", b"." * 101)
    for work in (web.look, lambda url: web.read(url, Landing(tmp_path / "a"), Version(None, 0, ""))):
        with pytest.raises(LoomError) as caught:
            work(f"{served.url}/large".encode())
        assert caught.value.code == "FILE_TOO_LARGE"


@pytest.mark.parametrize("target", ["/round", "file:///etc/hostname"])
def test_redirects_are_bounded(served: Served, web: Web, target: str) -> None:
    served.redirects["/round"] = target
    with pytest.raises(LoomError) as caught:
        web.look(f"{served.url}/round".encode())
    assert caught.value.code == "FILE_UNREADABLE"
    assert len(served.asked) <= 6
    served.put("/there", b"content")
    served.redirects["/once"] = "/there"
    assert web.look(f"{served.url}/once".encode()).size == 7


def test_a_server_that_is_not_there(served: Served, web: Web) -> None:
    served.close()
    with pytest.raises(LoomError) as caught:
        web.look(f"{served.url}/a".encode())
    assert caught.value.code == "READ_FAILED"


CONTENT = bytes(range(256)) * 4096


class Broken:
    """A large file of which a first part came."""

    def __init__(self, served: Served, tmp_path: Path) -> None:
        self.served = served
        self.web = Web(max_size=10 * len(CONTENT))
        self.url = f"{served.url}/large".encode()
        self.landing = Landing(tmp_path / "a")
        served.put("/large", CONTENT)
        served.cuts["/large"] = [600_000]

    def begin(self) -> Version:
        version = self.web.look(self.url)
        with pytest.raises(LoomError) as caught:
            self.web.read(self.url, self.landing, version)
        assert caught.value.code == "READ_FAILED"
        assert 0 < self.landing.total <= 600_000
        return version

    def go_on(self) -> Version:
        assert self.landing.part is not None
        return self.web.read(self.url, self.landing, self.landing.part)

    @property
    def content(self) -> bytes:
        return Path(self.landing.path).read_bytes()


@pytest.fixture
def broken(served: Served, tmp_path: Path) -> Iterator[Broken]:
    broken = Broken(served, tmp_path)
    yield broken
    broken.web.close()


@pytest.mark.parametrize("etag", [True, False])
def test_a_connection_that_was_cut_goes_on_where_it_was(broken: Broken, etag: bool) -> None:
    if not etag:
        broken.served.files["/large"].etag = ""
    version, there = broken.begin(), broken.landing.total
    assert broken.go_on() == version
    assert (broken.content, broken.served.sent) == (CONTENT, [600_000, len(CONTENT) - there])


def test_a_server_that_ignores_ranges_sends_all_of_it_again(broken: Broken) -> None:
    broken.served.knows_ranges = False
    version = broken.begin()
    assert broken.go_on() == version
    assert (broken.content, broken.served.sent) == (CONTENT, [600_000, len(CONTENT)])


def test_a_file_that_is_another_one_meanwhile_is_begun_again(broken: Broken) -> None:
    version = broken.begin()
    broken.served.put("/large", CONTENT[::-1])
    broken.served.cuts["/large"] = [500_000]
    with pytest.raises(LoomError):
        broken.go_on()
    seen = broken.go_on()
    assert not seen.is_same(version)
    assert broken.content == CONTENT[::-1]


def test_a_server_that_tells_no_version_is_asked_for_all_of_it(broken: Broken) -> None:
    """A weak etag stands for more than one row of bytes."""
    broken.served.files["/large"].etag = 'W/"1"'
    broken.landing.part = Version(len(CONTENT), 0, 'W/"1"')
    Path(broken.landing.path).write_bytes(b"something else")
    broken.served.cuts.clear()
    broken.go_on()
    assert (broken.content, broken.served.sent) == (CONTENT, [len(CONTENT)])


def test_what_came_whole_is_not_asked_for_again(broken: Broken) -> None:
    broken.served.cuts.clear()
    version = broken.web.look(broken.url)
    broken.web.read(broken.url, broken.landing, version)
    assert broken.web.read(broken.url, broken.landing, version) == version
    assert len(broken.served.sent) == 1


def test_a_full_disk(broken: Broken) -> None:
    broken.landing.path = "/dev/full"
    with pytest.raises(LoomError) as caught:
        broken.web.read(broken.url, broken.landing, broken.web.look(broken.url))
    assert caught.value.code == "DISK_FULL"
