"""A server that speaks as OpenAI's does, for tests: it answers what it is told to, one deed a request."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

from postserver import PostServer


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


class ChatServer(PostServer):
    """Answers with the text `said` when no deed is left; a deed may be such a text, too. `heard` is what was asked:
    path, headers in lowercase, and body."""

    def __init__(self, said: str = "words") -> None:
        self.said = said
        super().__init__("/v1")

    @property
    def usual(self) -> str:
        return self.said

    def note(self, path: str, headers: dict[str, str], body: bytes) -> tuple[str, dict[str, str], dict[str, Any]]:
        return path, headers, json.loads(body)

    def do(self, handler: BaseHTTPRequestHandler, deed: Deed | str) -> None:
        if isinstance(deed, str):
            deed = Deed(body=answer(deed))
        if deed.silent:
            self.ended.wait(60)
            return
        handler.send_response(deed.status)
        for name, value in {**deed.headers, "content-length": str(len(deed.body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        try:
            handler.wfile.write(deed.body[: len(deed.body) // 2] if deed.cut else deed.body)
        except (BrokenPipeError, ConnectionResetError):
            return
