import os
import signal
import socket
import threading
import time

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from loom.api.server import bind, signalled, start_in_background
from loom.errors import LoomError


async def nothing(scope, receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


def test_a_port_that_is_taken_means_the_next_one_only_when_asked():
    with start_in_background(nothing, "127.0.0.1", 0) as first:
        with start_in_background(nothing, "127.0.0.1", first.port) as second:
            assert second.port > first.port
            assert httpx.get(second.url).status_code == 204
        with pytest.raises(LoomError) as refused:
            start_in_background(nothing, "127.0.0.1", first.port, or_next=False)
        assert refused.value.code == "CONFIG_INVALID"


def test_ipv6_has_brackets():
    if not socket.has_ipv6:
        pytest.skip("this system has no IPv6")
    with start_in_background(nothing, "::1", 0) as server:
        assert server.address == f"[::1]:{server.port}"
        assert httpx.get(server.url).status_code == 204


@pytest.mark.parametrize(("host", "port"), [("no.such.host.invalid", 0), ("192.0.2.1", 0)])
def test_an_address_that_is_not_here(host, port):
    with pytest.raises(LoomError) as refused:
        bind(host, port)
    assert refused.value.code == "CONFIG_INVALID"


def test_stop_closes_every_connection_and_the_port(serving, token):
    server = serving()
    bearer = {"Authorization": f"Bearer {token}"}
    address = f"ws://{server.address}/api/v1/pipelines/events/ws"
    with httpx.Client(headers=bearer) as http, connect(address, additional_headers=bearer, proxy=None) as listener:
        http.get(f"{server.url}/healthz")
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 3
        listener.recv(timeout=5)
        with pytest.raises(ConnectionClosed) as closed:
            listener.recv(timeout=5)
        assert closed.value.rcvd.code == 1012
        with pytest.raises(httpx.ConnectError):
            http.get(f"{server.url}/healthz")
    assert server.wait(0)
    server.stop()


def test_a_signal_is_an_event_for_a_while():
    before = signal.getsignal(signal.SIGTERM)
    with signalled() as stop:
        assert not stop.is_set()
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
        assert stop.wait(10)
    assert signal.getsignal(signal.SIGTERM) is before
