"""HTTP connections that nobody can hold for nothing: a request has to come, in time, and there are only so many.

uvicorn does not promise the attributes used here; the tests of this module tell when they change.
"""

from __future__ import annotations

import resource
from asyncio import TimerHandle
from asyncio.transports import Transport
from contextlib import suppress
from typing import Any, NamedTuple

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 4096
"""Open connections, be it of requests or of listeners."""

ACCEPTED_AT_ONCE = 8
"""In one turn of the loop; a connection that is refused takes some turns until its file is free again."""

_FILES_OF_OTHERS = 96
_LEAST = 16


class Patience(NamedTuple):
    """In seconds: until when the head of a request has to be there, and how long nothing may come of a body."""

    head: float = 10.0
    body: float = 30.0


class PatientConfig(uvicorn.Config):
    """`most`: how many connections may be open."""

    def __init__(self, app: Any, *, patience: Patience, most: int, **options: Any) -> None:
        super().__init__(app, http=PatientHttp, **options)
        self.patience = patience
        self.most = most


class PatientHttp(H11Protocol):
    """uvicorn's protocol with a deadline for what it waits for. When there are too many connections, the one that has
    been without a request for longest has to go: a crowd that asks for nothing keeps nobody out."""

    config: PatientConfig
    _idle_since: float | None
    """None while there is a request."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline: TimerHandle | None = None
        self._idle_since = self.loop.time()
        self._give(self.config.patience.head)
        if len(self.connections) > self.config.most:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._give(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        patience, state = self.config.patience, self.conn.their_state
        if state is not h11.IDLE:
            self._idle_since = None
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            self._give(None)
        elif state is h11.SEND_BODY:
            self._give(patience.body)
        elif state is not h11.IDLE:
            self._give(None)
        elif self._deadline is None:
            self._give(patience.head)

    def on_response_complete(self) -> None:
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def _give(self, seconds: float | None) -> None:
        """So much time from now on; None: as much as it takes."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        if self.flow.read_paused:  # it is us who do not read
            self._give(self.config.patience.body)
        else:
            self.transport.abort()

    def _make_room(self) -> None:
        there = [one for one in self.connections if not one.transport.is_closing()]
        if len(there) > self.config.most:
            idle = [
                (one._idle_since, id(one), one)
                for one in there
                if isinstance(one, PatientHttp) and one._idle_since is not None
            ]
            min(idle)[2].transport.abort()


def room() -> int:
    """How many connections may be open, so that files can be opened still. Raises the limit of open files to what the
    system allows this process, as far as that is of use."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST * 5 // 4
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
            soft = allowed
    if soft == resource.RLIM_INFINITY:
        return MOST
    return min(MOST, max(_LEAST, soft - soft // 16 - _FILES_OF_OTHERS))
