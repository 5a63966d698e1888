"""A web server on loopback to which things are posted, for tests: it does what it is told to, one deed a request."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class PostServer:
    """`deeds` are carried out in turn, by `do`; when none is left, `usual` is. `heard` has what `note` makes of each
    request. What is silent waits for `ended`."""

    usual: Any

    def __init__(self, path: str) -> None:
        self.deeds: list[Any] = []
        self.heard: list[Any] = []
        self.ended = threading.Event()
        lock = threading.Lock()
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                with lock:
                    told.heard.append(told.note(self.path, headers, body))
                    deed = told.deeds.pop(0) if told.deeds else told.usual
                told.do(self, deed)
                self.close_connection = True

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}{path}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def note(self, path: str, headers: dict[str, str], body: bytes) -> Any:
        """What is remembered of a request; the names of its headers are in lowercase."""
        raise NotImplementedError

    def do(self, handler: BaseHTTPRequestHandler, deed: Any) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
