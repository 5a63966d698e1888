import os
import platform
import socket
import time

import httpx
import pytest
from ledgers import begin, digest, report

from loom.model import FileStat, FoundAt, Kind, asset_uuid

DATA = bytes(range(256)) * 4096
UUID = asset_uuid(digest("a"))
URL = f"/assets/{UUID}/content"


@pytest.fixture
def known(loom, tmp_path):
    """Remembers a file as the bytes of the asset "a" and returns its path."""

    def remember(name="a.bin", data=DATA, mime="image/jpeg", host=None):
        path = tmp_path / name
        path.write_bytes(data)
        stat = path.stat()
        place = FoundAt(
            os.fsencode(tmp_path), os.fsencode(name), FileStat(stat.st_size, stat.st_mtime_ns, stat.st_ino, 1), True
        )
        run = begin(loom, host=host or platform.node())
        loom.report(run, [report("a", place, mime=mime, kind=Kind.IMAGE, size=len(data))])
        return path

    return remember


def test_an_original_is_sent_with_its_type(http, known):
    known()
    answer = http.get(URL)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, DATA, "image/jpeg")
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (answer.headers["accept-ranges"], "content-disposition" in answer.headers) == ("bytes", False)
    head = http.head(URL)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(DATA)), b"")
    same = http.get(URL, headers={"If-None-Match": answer.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")


@pytest.mark.parametrize(
    ("wanted", "status", "start", "end"),
    [("bytes=0-0", 206, 0, 1), ("bytes=5-", 206, 5, None), ("bytes=-7", 206, -7, None), ("bytes=300000-700000", 206,
      300_000, 700_001), ("bytes=1-2,5-6", 200, 0, None), ("bytes=9999999-", 416, 0, 0)],
)  # fmt: skip
def test_ranges(http, known, wanted, status, start, end):
    known()
    answer = http.get(URL, headers={"Range": wanted})
    assert answer.status_code == status
    if status == 416:
        assert answer.headers["content-range"] == f"bytes */{len(DATA)}"
        assert answer.json()["code"] == "RANGE_NOT_SATISFIABLE"
    else:
        assert answer.content == DATA[start:end]


@pytest.mark.parametrize("mime", ["text/html", "image/svg+xml", "application/pdf", "application/octet-stream", "x/y"])
def test_what_a_browser_could_execute_is_for_saving(http, known, mime):
    known(mime=mime)
    answer = http.get(URL)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"


def test_only_what_is_remembered_is_sent(http, known):
    path = known()
    assert http.get(f"/assets/{asset_uuid(digest('b'))}/content").json()["code"] == "NOT_FOUND"
    path.write_bytes(b"other bytes")
    refused = http.get(URL)
    assert (refused.status_code, refused.json()["code"]) == (409, "CHANGED")
    stat = path.stat()
    path.write_bytes(DATA[:-1] + b"!")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert http.get(URL).json()["code"] == "CHANGED"
    path.unlink()
    refused = http.get(URL)
    assert (refused.status_code, refused.json()["code"]) == (410, "FILE_VANISHED")
    assert str(path) not in refused.text
    os.mkfifo(path)
    began = time.monotonic()
    assert http.get(URL).json()["code"] == "NOT_A_REGULAR_FILE"
    assert time.monotonic() - began < 5, "nobody writes to the pipe"
    path.unlink()
    path.mkdir()
    assert http.get(URL).json()["code"] == "NOT_A_REGULAR_FILE"


def test_another_copy_serves_as_well(http, known):
    known("first").unlink()
    known("second")
    assert http.get(URL).content == DATA


def test_only_files_of_this_machine(http, known, loom):
    known(host="elsewhere")
    assert http.get(URL).json()["code"] == "NOT_FOUND"


def test_a_missing_file_is_not_looked_for(http, known, loom):
    path = known()
    loom.mark_missing(platform.node(), [(os.fsencode(path.parent), b"a.bin")])
    assert http.get(URL).json()["code"] == "NOT_FOUND"


@pytest.mark.parametrize("wanted", ["../../etc/passwd", "%2e%2e%2fetc%2fpasswd", "/etc/passwd", "not-a-uuid"])
def test_no_path_comes_from_the_request(http, known, wanted):
    known()
    assert http.get(f"/assets/{wanted}/content").status_code in (404, 422)


def open_files(path):
    links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
    return sum(os.path.realpath(link) == str(path) for link in links)


def test_files_are_closed_however_it_ends(http, known, server, token):
    path = known(data=bytes(50_000_000))
    http.get(URL, headers={"Range": "bytes=0-5"})
    http.head(URL)
    http.get(URL, headers={"Range": "bytes=99999999-"})
    http.get(URL, headers={"If-None-Match": f'"{UUID}"'})
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        head = f"GET /api/v1{URL} HTTP/1.1\r\nHost: localhost:{server.port}\r\nAuthorization: Bearer {token}\r\n\r\n"
        client.sendall(head.encode())
        assert client.recv(100).startswith(b"HTTP/1.1 200")
        assert open_files(path) == 1
    for _ in range(100):
        if open_files(path) == 0:
            break
        time.sleep(0.05)
    assert open_files(path) == 0


def test_a_file_that_shrinks_while_it_is_sent_breaks_the_answer_off(http, known):
    path = known(data=bytes(50_000_000))
    with http.stream("GET", URL) as answer:
        pieces = answer.iter_raw(1024)
        next(pieces)
        os.truncate(path, 1024)
        with pytest.raises(httpx.HTTPError):
            list(pieces)
