"""Loom's API over HTTP and WebSocket: as the main program, or beside an ingest."""

from __future__ import annotations

import ipaddress
import platform
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from loom.api.app import LOOPBACK, create_app
from loom.api.server import RunningServer, bind, host_of, signalled
from loom.api.sessions import CODE_LIVES_S, Sessions
from loom.ending import say
from loom.errors import LoomError
from loom.helper import Helper
from loom.local import Local, hold_loom
from loom.settings import LoomSettings
from loom.store.datafolder import DataFolder

_LOOK_S = 0.5
_REACHED_AT = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104
_SESSIONS = "sessions"
"""The file of the data folder that keeps who is signed in."""


def serve_until_interrupted(settings: LoomSettings, *, worker: bool = False) -> int:
    """Holds Loom and serves it until Ctrl-C or SIGTERM; the exit code. `worker`: with one beside it that executes the
    runs that are asked for."""
    with ExitStack() as stack:
        stop, local = stack.enter_context(signalled()), stack.enter_context(hold_loom(settings))
        local.loom.end_abandoned_runs(platform.node())
        server, signed_in = stack.enter_context(_serve(local, settings, or_next=False))
        if worker:
            stack.enter_context(Helper(f"http://{_own_address(server)}", settings.token or _folder_of(local).token()))
        say(f"Loom is served at {server.url} (its API is described at {server.url}/docs); Ctrl-C ends it")
        say(f"its page, for the next {CODE_LIVES_S // 60} minutes: {_link(server, settings, signed_in)}")
        say("programs send the token that `loom token` prints; it opens the page too")
        while not stop.wait(_LOOK_S) and not server.wait(0):
            continue
    return 0


@contextmanager
def serve_in_background(local: Local, settings: LoomSettings) -> Iterator[str]:
    """Serves a Loom beside other work, at its port or the next that is free; yields `host:port`."""
    with _serve(local, settings, or_next=True) as (server, signed_in):
        say(f"the page, for the next {CODE_LIVES_S // 60} minutes: {_link(server, settings, signed_in)}")
        yield server.address


@contextmanager
def serve_on(local: Local, settings: LoomSettings, listening: socket.socket) -> Iterator[RunningServer]:
    """Serves a Loom on a socket of the loopback that listens already; the folder's lock is the caller's to write."""
    app, _ = _app(local, settings, listening)
    with RunningServer(app, listening).start() as server:
        yield server


@contextmanager
def _serve(local: Local, settings: LoomSettings, *, or_next: bool) -> Iterator[tuple[RunningServer, Sessions]]:
    _refuse_open_door(settings)
    folder = _folder_of(local)
    with bind(settings.host, settings.port, or_next=or_next) as listening:
        app, signed_in = _app(local, settings, listening)
        with RunningServer(app, listening).start() as server:
            folder.set_address(_own_address(server))
            try:
                yield server, signed_in
            finally:
                folder.set_address(None)


def _app(local: Local, settings: LoomSettings, listening: socket.socket) -> tuple[Any, Sessions]:
    """The programs of this machine call it by the names of the loopback or by its address, whatever the others are to
    call it: no page of others can be at these."""
    folder = _folder_of(local)
    own = [] if "%" in (host := host_of(listening)) else [host]
    signed_in = Sessions(folder.path / _SESSIONS)
    app = create_app(
        local.loom,
        local.hub,
        local.operators,
        token=settings.token or folder.token(),
        signed_in=signed_in,
        allowed_hosts=(*settings.allowed_hosts, *LOOPBACK, *own),
    )
    return app, signed_in


def _folder_of(local: Local) -> DataFolder:
    if local.folder is None:
        raise LoomError("INTERNAL", "A Loom that was opened to be looked at cannot be served.")
    return local.folder


def _link(server: RunningServer, settings: LoomSettings, signed_in: Sessions) -> str:
    """What a person opens: the page with a code in the fragment, which no browser sends and no log holds."""
    host = server.host
    if host in _REACHED_AT:
        host = settings.allowed_hosts[0]
    return f"http://{host}:{server.port}/#code={signed_in.new_code()}"


def _own_address(server: RunningServer) -> str:
    """Where this machine reaches the server, `host:port`."""
    return f"{_REACHED_AT.get(server.host, server.host)}:{server.port}"


def _refuse_open_door(settings: LoomSettings) -> None:
    """An address that others can reach needs names that are allowed to be used for it."""
    if not _is_loopback(settings.host) and set(settings.allowed_hosts) <= set(LOOPBACK):
        raise LoomError(
            "CONFIG_INVALID",
            f"{settings.host} can be reached from other machines: name the hosts under which it may be called in"
            " LOOM_ALLOWED_HOSTS",
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
