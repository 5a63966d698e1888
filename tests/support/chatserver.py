"""A server that speaks as OpenAI's does, for tests: it answers what it is told to, one deed a request."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Deed(NamedTuple):
    """An answer other than a good one: `headers` and `body` as they are sent; `cut`: only the first half of the body;
    `silent`: nothing until the server ends."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}
    cut: bool = False
    silent: bool = False


def answer(text: Any, **more: Any) -> bytes:
    """What a server says when all is well."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    return json.dumps({"model": "toy-1", "choices": [choice], "usage": usage, **more}).encode()


class ChatServer:
    """`deeds` are carried out in turn, the text `said` is the answer to all that is asked then. `heard` is what was
    asked: path, headers in lowercase, and body."""

    def __init__(self, said: str = "words") -> None:
        self.said = said
        self.deeds: list[Deed | str] = []
        self.heard: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self._ended = threading.Event()
        self._lock = threading.Lock()
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with told._lock:
                    told.heard.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                    deed = told.deeds.pop(0) if told.deeds else told.said
                told._do(self, Deed(body=answer(deed)) if isinstance(deed, str) else deed)
                self.close_connection = True

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def _do(self, handler: BaseHTTPRequestHandler, deed: Deed) -> None:
        if deed.silent:
            self._ended.wait(60)
            return
        handler.send_response(deed.status)
        for name, value in {**deed.headers, "content-length": str(len(deed.body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        try:
            handler.wfile.write(deed.body[: len(deed.body) // 2] if deed.cut else deed.body)
        except (BrokenPipeError, ConnectionResetError):
            return

    def close(self) -> None:
        self._ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
