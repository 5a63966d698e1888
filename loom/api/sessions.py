"""Signing a browser in: a code that works once becomes a cookie that only this server can read.

The code stands in the fragment of a printed link, which no browser sends and no log holds; the page posts it here. Of
codes and sessions only hashes are kept, so that neither the memory nor the file of a server gives one away.
"""

from __future__ import annotations

import hmac
import os
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from loom.api.answers import nothing, route
from loom.api.bodies import PeoplesBody, decoded
from loom.api.hosts import own_origin, parse_authority
from loom.errors import LoomError

router = APIRouter(prefix="/session", tags=["session"])

CODE_LIVES_S = 600
SESSION_LIVES_S = 14 * 24 * 3600
MOST_CODES = 20
MOST_SESSIONS = 100
"""The oldest give way to new ones."""

_Hashes = dict[str, float]
"""When each ends (seconds since 1970), by the SHA-256 of what it stands for; the oldest first."""


class Sessions:
    """Codes and sessions of one server; safe for threads. `kept`: a file for the sessions (their hashes), so that they
    survive a restart of the server; without it they end with the process."""

    def __init__(self, kept: Path | None = None, now: Callable[[], float] = time.time) -> None:
        self._kept = kept
        self._now = now
        self._lock = threading.Lock()
        self._codes: _Hashes = {}
        self._sessions: _Hashes = _read(kept)

    def new_code(self) -> str:
        """A code for one sign-in within ten minutes."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._add(self._codes, code, CODE_LIVES_S, MOST_CODES)
        return code

    def redeem(self, code: str) -> str:
        """The secret of a new session. Raises `UNAUTHORIZED` for a code that is unknown, used or too old."""
        with self._lock:
            found = self._find(self._codes, code)
            if found is None:
                raise LoomError("UNAUTHORIZED", "This link was used before, or is older than ten minutes.")
            del self._codes[found]
            return self._open()

    def open(self) -> str:
        """The secret of a new session for a caller who proved otherwise who it is."""
        with self._lock:
            return self._open()

    def knows(self, secret: str) -> bool:
        with self._lock:
            return self._find(self._sessions, secret) is not None

    def close(self, secret: str) -> None:
        with self._lock:
            found = self._find(self._sessions, secret)
            if found is not None:
                del self._sessions[found]
                self._write()

    def _open(self) -> str:
        secret = secrets.token_urlsafe(32)
        self._add(self._sessions, secret, SESSION_LIVES_S, MOST_SESSIONS)
        self._write()
        return secret

    def _add(self, hashes: _Hashes, secret: str, lives_s: float, most: int) -> None:
        self._drop_old(hashes)
        while len(hashes) >= most:
            del hashes[next(iter(hashes))]
        hashes[_digest(secret)] = self._now() + lives_s

    def _find(self, hashes: _Hashes, secret: str) -> str | None:
        """Compared with every one, in the same time wherever it stands."""
        self._drop_old(hashes)
        digest, found = _digest(secret), None
        for known in hashes:
            if hmac.compare_digest(known, digest):
                found = known
        return found

    def _drop_old(self, hashes: _Hashes) -> None:
        now = self._now()
        for digest in [digest for digest, end in hashes.items() if end <= now]:
            del hashes[digest]

    def _write(self) -> None:
        """A session that cannot be kept, as on a full disk, lasts as long as the process."""
        if self._kept is None:
            return
        part = self._kept.with_name(f"{self._kept.name}.{os.getpid()}")
        with suppress(OSError):
            part.unlink(missing_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(self._sessions))
            part.replace(self._kept)


class SignInShape(msgspec.Struct, frozen=True, kw_only=True):
    """The one-time code of a printed link, or the token itself."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]


def cookie_name(host: str, scheme: str = "http") -> str:
    """The cookie of the server at that `Host`: named for its port, since cookies are the same for all ports."""
    authority = parse_authority(host)
    if authority is None:
        raise LoomError("FORBIDDEN_HOST")
    return f"loom_session_{own_origin(scheme, authority).port}"


def cookie_of(header: str, name: str) -> str | None:
    """The value of a cookie in a `Cookie` header; None when it is not there or there twice."""
    found = [value for one in header.split(";") for key, _, value in [one.strip().partition("=")] if key == name]
    return found[0] if len(found) == 1 else None


_SIGN_IN = route(takes=SignInShape, status=204)
_SIGN_IN["openapi_extra"]["security"] = []


@router.post("", **_SIGN_IN)
def sign_in(request: Request, body: PeoplesBody) -> Response:
    """Signs a browser in: answers with a cookie that stands for the token. Only pages of this very address may ask."""
    sessions: Sessions = request.app.state.sessions
    code = decoded(body, SignInShape).code
    token: str = request.app.state.token
    secret = sessions.open() if hmac.compare_digest(code.encode(), token.encode()) else sessions.redeem(code)
    return _with_cookie(request, secret, SESSION_LIVES_S)


@router.delete("", **route(status=204))
def sign_out(request: Request) -> Response:
    """Ends the session of this browser."""
    sessions: Sessions = request.app.state.sessions
    secret = cookie_of(request.headers.get("cookie", ""), _cookie_name(request))
    if secret is not None:
        sessions.close(secret)
    return _with_cookie(request, "", 0)


def _with_cookie(request: Request, secret: str, lives_s: int) -> Response:
    answer = nothing()
    secure = request.url.scheme == "https"
    answer.set_cookie(_cookie_name(request), secret, lives_s, httponly=True, samesite="strict", secure=secure)
    answer.headers["cache-control"] = "no-store"
    return answer


def _cookie_name(request: Request) -> str:
    return cookie_name(request.headers["host"], request.url.scheme)


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _read(kept: Path | None) -> _Hashes:
    """What a server before this one kept; nothing where that cannot be understood."""
    if kept is None:
        return {}
    try:
        return msgspec.json.decode(kept.read_bytes(), type=_Hashes)
    except (OSError, msgspec.DecodeError):
        return {}
