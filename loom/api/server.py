"""Runs the app in a thread: beside other work, or while the main thread waits for a signal."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import TracebackType
from typing import Any, Self

import uvicorn

from loom.api.connections import ACCEPTED_AT_ONCE, Patience, PatientConfig, room
from loom.api.events import MAX_PUBLISH
from loom.api.sockets import FrameProtocol
from loom.errors import LoomError
from loom.store.database import BUSY_SECONDS

_PORTS_TRIED = 100
_WAITING = 2048
"""Connections that the system keeps until they are accepted."""

_GRACE_S = 3
_FAREWELL_S = 0.2
_TICK_S = 0.1
_LAST_S = BUSY_SECONDS + 10
"""No thread waits for the database for longer."""

_KEEP_ALIVE_S = 75
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class RunningServer:
    """A server in a thread of its own, from `start` on until `stop`, which closes every connection. Also a context
    manager. `most`: how many connections may be open; by default, what the system allows."""

    def __init__(
        self,
        app: Any,
        listening: socket.socket,
        patience: Patience = Patience(),  # noqa: B008
        most: int | None = None,
    ) -> None:
        self._socket = listening
        self.host, self.port = host_of(listening), listening.getsockname()[1]
        config = PatientConfig(
            app,
            patience=patience,
            most=room() if most is None else most,
            backlog=ACCEPTED_AT_ONCE,
            ws=FrameProtocol,
            ws_max_size=MAX_PUBLISH,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_GRACE_S,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._run, name="loom-api", daemon=True)
        self._ended = threading.Event()

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def connections(self) -> int:
        """How many there are now, waiting ones included."""
        return len(self._server.server_state.connections)

    def start(self) -> Self:
        """Returns once connections are accepted (they are queued until the loop runs)."""
        self._socket.listen(_WAITING)
        self._thread.start()
        return self

    def wait(self, timeout: float | None = None) -> bool:
        """Whether the server has ended."""
        return self._ended.wait(timeout)

    def stop(self) -> None:
        """Says goodbye to all connections, cuts those that stay, and ends the thread; what a request has begun to write
        comes to its end before. May be called twice."""
        self._server.end()
        self._thread.join()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._ended.set()


class _Server(uvicorn.Server):
    """Accepts few connections at once, of many that may wait, and ends no sooner than what it has begun."""

    _hurry: Callable[[], object] | None = None

    def end(self) -> None:
        """For other threads."""
        self.should_exit = True
        if self._hurry is not None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                self._hurry()

    async def main_loop(self) -> None:
        """As the framework's, but at the end nobody waits for the next tick."""
        told = asyncio.Event()
        self._hurry = partial(asyncio.get_running_loop().call_soon_threadsafe, told.set)
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await told.wait()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or ():
            listening.listen(_WAITING)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        tasks = self.server_state.tasks
        if tasks:  # they are being cancelled: what they still have to say is said at once
            await asyncio.wait(tasks, timeout=_FAREWELL_S)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        if tasks:
            await asyncio.wait(tasks, timeout=_LAST_S)


def start_in_background(app: Any, host: str, port: int, *, or_next: bool = True) -> RunningServer:
    """Serves beside the caller's work. With `or_next`, a port that is taken means the next free one; 0 means any. The
    port that it became stands in the answer. Raises `CONFIG_INVALID` when nothing can be listened on."""
    return RunningServer(app, bind(host, port, or_next=or_next)).start()


def host_of(listening: socket.socket) -> str:
    """The address that it is bound to, as it stands in a URL."""
    host: str = listening.getsockname()[0]
    return f"[{host}]" if ":" in host else host


@contextmanager
def signalled() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, instead of what they do otherwise."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def bind(host: str, port: int, *, or_next: bool = False) -> socket.socket:
    """A socket bound to the address, not listening yet. Raises `CONFIG_INVALID`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise LoomError("CONFIG_INVALID", f"There is no address {host!r} to listen on: {error.strerror}.") from error
    ports = range(port, min(port + _PORTS_TRIED, 65536)) if or_next and port else (port,)
    last: OSError | None = None
    for candidate in ports:
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((address[0], candidate, *address[2:]))
            listening.listen(1)
        except OSError as error:
            listening.close()
            last = error
        else:
            return listening
    assert last is not None
    raise LoomError("CONFIG_INVALID", f"Cannot listen on {host}:{port}: {last.strerror}.") from last
