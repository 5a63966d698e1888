"""Asks servers that speak as OpenAI's does: POST {base_url}/chat/completions."""

from __future__ import annotations

import ipaddress
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from cortex.operators.sinks.webhook import pause_of
from loom.errors import LoomError

if TYPE_CHECKING:
    import httpx

MOST_BYTES = 4 * 1024 * 1024
"""No answer may be longer."""

_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_REFUSED = frozenset({400, 413, 415, 422})
_FIRST_PAUSE_S, _MAX_PAUSE_S = 0.5, 30.0
_RENEW_S = 5.0
_MOST_SAID = 300


class RefusedError(LoomError):
    """The server can do nothing with the request, however often it is asked."""


class Again(NamedTuple):
    """Why there is no answer, and how long to wait if the server says so."""

    said: str
    wait_s: float | None = None


def check_address(url: str, *, plain_http: bool) -> None:
    """Raises `ValueError` with a sentence for an address that is none, holds credentials, or would send key and
    pictures over the internet for everybody to read."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0 or parts.query or parts.fragment:
        raise ValueError("the address begins with http:// or https://, names a host, and has no ? and no #")
    if parts.username is not None or parts.password is not None:
        raise ValueError("credentials have no place in a definition: name an environment variable in `key_env`")
    if parts.scheme == "http" and not plain_http and not _is_near(parts.hostname):
        raise ValueError(f"{parts.hostname} is not in this network: use https://, or say `plain_http: true`")


def _is_near(host: str) -> bool:
    """Whether a host is this machine or in the same network, as far as its name tells; nothing is looked up."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".lan", ".internal", ".home.arpa"))
    return address.is_loopback or address.is_private or address.is_link_local


def key_in(variable: str) -> str:
    """The key that an environment variable holds. Raises `REQUIREMENT_MISSING`."""
    key = os.environ.get(variable, "").strip()
    if not key or not key.isascii() or not key.isprintable():
        raise LoomError("REQUIREMENT_MISSING", f"the environment variable {variable} is to hold the key, and does not")
    return key


class ChatServer:
    """A server; any thread may ask it. `wait_s`: how long one answer may take."""

    def __init__(self, base_url: str, key: str | None, *, wait_s: float, attempts: int) -> None:
        import httpx

        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._key = key
        self._wait_s = wait_s
        self._attempts = attempts
        headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        self._client: httpx.Client = httpx.Client(headers=headers, follow_redirects=False, timeout=wait_s)

    def close(self) -> None:
        self._client.close()

    def ask(self, body: Mapping[str, Any], progress: Callable[[float], None]) -> dict[str, Any]:
        """The answer, a JSON object. Overloaded and broken servers are asked again, after as long as they say or after
        0.5, 1, 2 … seconds, at most 30. Raises `TRY_AGAIN` when that is in vain, `RefusedError` for a request that is
        refused, `REQUIREMENT_MISSING` when key, model or address are not right, and `OUTPUT_INVALID` for an answer that
        is too long."""
        payload = msgspec.json.encode(body)
        pause = _FIRST_PAUSE_S
        with _kept_going(progress):
            for attempt in range(1, self._attempts + 1):
                answer = self._try(payload)
                if not isinstance(answer, Again):
                    return answer
                said = answer.said
                if attempt < self._attempts:
                    sleep(pause if answer.wait_s is None else answer.wait_s)
                    pause = min(pause * 2, _MAX_PAUSE_S)
        raise LoomError("TRY_AGAIN", f"the server gave no answer: {said}, attempt {self._attempts}")

    def _try(self, payload: bytes) -> dict[str, Any] | Again:
        import httpx

        end = monotonic() + self._wait_s
        try:
            with self._client.stream("POST", self._url, content=payload) as response:
                data = _read(response, end)
        except (httpx.HTTPError, TimeoutError) as error:
            return Again(self._shown(f"{type(error).__name__}: {error}"))
        status = response.status_code
        if status != 200:
            return self._failed(status, data, response.headers.get("retry-after"))
        try:
            return msgspec.json.decode(data, type=dict[str, Any])
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return Again("what it said is no JSON object")

    def _failed(self, status: int, data: bytes, retry_after: str | None) -> Again:
        said = f"HTTP {status}{self._shown(_message_in(data))}"
        if status in _AGAIN:
            return Again(said, pause_of(retry_after))
        if status in _REFUSED:
            raise RefusedError("OPERATOR_FAILED", f"the server refuses the request: {said}")
        raise LoomError("REQUIREMENT_MISSING", f"the server does not answer; are key, model and address right? {said}")

    def _shown(self, text: str) -> str:
        """On one line, cut short, and without the key, which a server may repeat."""
        plain = " ".join(text.split())
        return (plain if self._key is None else plain.replace(self._key, "…"))[:_MOST_SAID]


def _read(response: httpx.Response, end: float) -> bytes:
    data = bytearray()
    for piece in response.iter_bytes():
        data += piece
        if len(data) > MOST_BYTES:
            raise LoomError("OUTPUT_INVALID", f"the answer of the server has more than {MOST_BYTES:,} bytes")
        if monotonic() > end:
            raise TimeoutError("the answer did not come to its end in time")
    return bytes(data)


def _message_in(data: bytes) -> str:
    """What an error says of itself, after a colon."""
    text = data.decode("utf-8", "replace")
    try:
        error = msgspec.json.decode(data, type=dict[str, Any]).get("error", text)
        text = str(error.get("message", text) if isinstance(error, dict) else error)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    return f": {text}" if text.strip() else ""


@contextmanager
def _kept_going(progress: Callable[[float], None]) -> Iterator[None]:
    """Renews the node's time limit meanwhile: how long answers may take is limited here."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(_RENEW_S):
            progress(0.0)

    progress(0.0)
    thread = threading.Thread(target=renew, name="waiting for an answer", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
