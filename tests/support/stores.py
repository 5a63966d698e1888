"""Servers on loopback that files can be fetched from: one that speaks as much of S3 as reading needs, and one of the
web. Both tell what they were asked, and can be told to fail."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

CHANGED = 1_700_000_000
PIECE = 64 * 1024


class Stored:
    """An object: its bytes, and when it was last changed (seconds since 1970)."""

    def __init__(self, data: bytes, changed: int = CHANGED) -> None:
        self.data = data
        self.changed = changed
        self.etag = f'"{hashlib.md5(data).hexdigest()}"'


class Served:
    """What both servers have: `files` by path, `asked` (method and path, without the query), and `answer`, called with
    both before a request is answered: what it returns is the status that is sent in place of the file; below 0 the
    connection just ends."""

    def __init__(self, handler: type[_Handler]) -> None:
        self.files: dict[str, Stored] = {}
        self.asked: list[tuple[str, str]] = []
        self.answer: Callable[[str, str], int | None] = lambda method, path: None
        self.redirects: dict[str, str] = {}
        self.knows_head = True
        self.hanging: set[str] = set()
        """Of these files a GET sends the first bytes and waits."""
        self.cuts: dict[str, list[int]] = {}
        """Of these files a GET sends so many bytes before the connection is cut, once for each number."""
        self.knows_ranges = True
        self.sent: list[int] = []
        """How many bytes of a file were sent, for each answer to a GET."""
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (handler,), {"served": self}))
        self._http.daemon_threads = True
        self.port = self._http.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._http.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def put(self, path: str, data: bytes, changed: int = CHANGED) -> None:
        self.files[path] = Stored(data, changed)

    def reads(self) -> list[str]:
        """The files that were read."""
        return [path for method, path in self.asked if method == "GET" and path in self.files]

    def close(self) -> None:
        self.hanging.clear()
        if self._thread.is_alive():
            self._http.shutdown()
            self._http.server_close()
            self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    served: Served
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None: ...

    def do_HEAD(self) -> None:
        self._answer("HEAD")

    def do_GET(self) -> None:
        self._answer("GET")

    def _answer(self, method: str) -> None:
        path = unquote(urlsplit(self.path).path)
        self.served.asked.append((method, path))
        status = self.served.answer(method, path)
        if method == "HEAD" and not self.served.knows_head:
            status = 405
        if status is not None and status < 0:
            self.close_connection = True
        elif status is not None:
            self.send(status)
        elif path in self.served.redirects:
            self.send(302, Location=self.served.redirects[path])
        elif path in self.served.files:
            self._send_file(method, self.served.files[path])
        else:
            self.other(method, path)

    def other(self, method: str, path: str) -> None:
        self.send(404)

    def send(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_file(self, method: str, stored: Stored) -> None:
        data, first, status = stored.data, 0, 200
        asked = self.headers.get("Range") if self.served.knows_ranges else None
        if asked is not None and self.headers.get("If-Range", stored.etag) in (stored.etag, date_of(stored)):
            start, _, end = asked.removeprefix("bytes=").partition("-")
            first, status = int(start), 206
            data = data[first : int(end) + 1 if end else None]
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Last-Modified", date_of(stored))
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{first + len(data) - 1}/{len(stored.data)}")
        if stored.etag:
            self.send_header("ETag", stored.etag)
        self.end_headers()
        if method == "HEAD":
            return
        if cuts := self.served.cuts.get(unquote(self.path)):
            data = data[: cuts.pop(0)]
            self.close_connection = True
        self.served.sent.append(len(data))
        for start in range(0, len(data), PIECE):
            while start and unquote(self.path) in self.served.hanging:
                time.sleep(0.01)
            self.wfile.write(data[start : start + PIECE])


class _S3Handler(_Handler):
    def other(self, method: str, path: str) -> None:
        bucket, _, key = path.lstrip("/").partition("/")
        held = [name for name in self.served.files if name.startswith(f"/{bucket}/")]
        if not held or method == "HEAD" or key:
            code = "NoSuchKey" if held else "NoSuchBucket"
            self.send(404, b"" if method == "HEAD" else f"<Error><Code>{code}</Code></Error>".encode())
            return
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        files, folders = [], set()
        for name in sorted(held):
            below = name[len(bucket) + 2 :]
            if not below.startswith(prefix):
                continue
            rest = below[len(prefix) :]
            if delimiter and delimiter in rest:
                folders.add(prefix + rest.partition(delimiter)[0] + delimiter)
            else:
                files.append((below, self.served.files[name]))
        body = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{formatted(one.changed)}</LastModified>"
            f"<ETag>{escape(one.etag)}</ETag><Size>{len(one.data)}</Size></Contents>"
            for key, one in files
        ) + "".join(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in sorted(folders))
        told = f"<Name>{bucket}</Name><KeyCount>{len(files)}</KeyCount><IsTruncated>false</IsTruncated>"
        text = f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{told}{body}</ListBucketResult>'
        self.send(200, text.encode(), Content_Type="application/xml")


class _WebHandler(_Handler):
    def other(self, method: str, path: str) -> None:
        names = sorted({name[len(path) :].partition("/") for name in self.served.files if name.startswith(path)})
        if not path.endswith("/") or not names:
            self.send(404)
            return
        links = "".join(f'<a href="{name}{slash}">{name}</a>' for name, slash, _ in names)
        self.send(200, f"<html>{links}</html>".encode(), Content_Type="text/html")


def date_of(stored: Stored) -> str:
    return formatdate(stored.changed, usegmt=True)


def formatted(seconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def s3_server() -> Served:
    """Paths are `/bucket/key`."""
    return Served(_S3Handler)


def web_server() -> Served:
    return Served(_WebHandler)
