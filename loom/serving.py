"""Loom's API over HTTP and WebSocket: as the main program, or beside an ingest."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from loom.api.app import LOOPBACK, create_app
from loom.api.server import RunningServer, signalled, start_in_background
from loom.ending import say
from loom.errors import LoomError
from loom.local import Local, hold_loom
from loom.settings import LoomSettings

_LOOK_S = 0.5


def serve_until_interrupted(settings: LoomSettings) -> int:
    """Holds Loom and serves it until Ctrl-C or SIGTERM; the exit code."""
    with signalled() as stop, hold_loom(settings) as local, _serve(local, settings, or_next=False) as server:
        say(f"Loom is served at {server.url} (its API is described at {server.url}/docs); Ctrl-C ends it")
        say("programs send the token that `loom token` prints")
        while not stop.wait(_LOOK_S) and not server.wait(0):
            continue
    return 0


@contextmanager
def serve_in_background(local: Local, settings: LoomSettings) -> Iterator[str]:
    """Serves a Loom beside other work, at its port or the next that is free; yields `host:port`."""
    with _serve(local, settings, or_next=True) as server:
        yield server.address


@contextmanager
def _serve(local: Local, settings: LoomSettings, *, or_next: bool) -> Iterator[RunningServer]:
    if local.folder is None:
        raise LoomError("INTERNAL", "A Loom that was opened to be looked at cannot be served.")
    _refuse_open_door(settings)
    token = settings.token or local.folder.token()
    app: Any = create_app(local.loom, local.hub, local.operators, token=token, allowed_hosts=settings.allowed_hosts)
    with start_in_background(app, settings.host, settings.port, or_next=or_next) as server:
        local.folder.set_address(server.address)
        try:
            yield server
        finally:
            local.folder.set_address(None)


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
