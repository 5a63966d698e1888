import json
import socket
import time
from uuid import UUID

import pytest
from programs import until
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode

from loom.api.lines import Pace
from loom.api.sockets import EXTENSION, SEND_BUFFER, FrameProtocol, array_frame, text_frame, text_frames
from loom.bus.hub import TAKE_BYTES
from loom.events import NodeEvent, RunHead


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_frames_are_those_of_the_library(size):
    payload = b"x" * size
    assert text_frame(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)
    assert text_frames([payload, b"y"]) == text_frame(payload) + text_frame(b"y")


def test_an_array_is_one_frame():
    assert array_frame([b"1", b"{}"]) == text_frame(b"[1,{}]")


@pytest.fixture
def protocols(monkeypatch):
    """Those of the connections to the bus, in the order in which they came."""
    connected = []
    real = FrameProtocol.handle_connect

    def watch(self, event):
        real(self, event)
        connected.append(self)

    monkeypatch.setattr(FrameProtocol, "handle_connect", watch)
    return connected


def test_our_server_offers_the_extension_and_the_small_buffer(hub, listen, protocols):
    listen().recv(timeout=5)
    (protocol,) = protocols
    writer = protocol.scope["extensions"][EXTENSION]
    assert (writer.is_writable, writer.is_closed) == (True, False)
    buffer = protocol.transport.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    assert buffer <= 2 * SEND_BUFFER, "Linux doubles what is asked for"


def test_what_a_client_reads_shows_before_the_kernel_takes_more(serving, hub, protocols):
    """Else one that reads little at a time is taken for one that reads nothing."""
    server = serving(pace=Pace(stall=60))
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        client.settimeout(10)
        client.connect(("127.0.0.1", server.port))
        client.sendall(
            b"GET /api/v1/pipelines/events/ws HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer open sesame\r\n"
            b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        until(lambda: hub.listeners == 1)
        (protocol,) = protocols
        writer = protocol.scope["extensions"][EXTENSION]

        def is_stuck():
            hub.publish(RunHead(UUID(int=1), "p", False), [NodeEvent(0, "a", bytes(32), "STARTED")] * 500)
            unsent = writer.unsent
            time.sleep(0.02)
            return not writer.is_writable and writer.unsent == unsent

        until(is_stuck)
        before, waiting = writer.unsent, protocol.transport.get_write_buffer_size()
        assert 0 < waiting < 2 * TAKE_BYTES, "one write waits, not two"
        while writer.unsent == before:
            client.recv(2048)
        assert writer.unsent < before
        assert protocol.transport.get_write_buffer_size() == waiting


@pytest.mark.parametrize("batched", [False, True])
def test_without_the_extension_frames_go_plainly(hub, listen, monkeypatch, batched):
    monkeypatch.setattr(FrameProtocol, "handle_connect", WebSocketsSansIOProtocol.handle_connect)
    hub.publish(RunHead(UUID(int=1), "p", False), [NodeEvent(0, "a", bytes(32), "STARTED")] * 3)
    client = listen(f"after=0{'&batch=20' * batched}")
    assert json.loads(client.recv(timeout=5)) == {"type": "hello", "seq": 3}
    got = [json.loads(client.recv(timeout=5)) for _ in range(1 if batched else 3)]
    assert [one["seq"] for one in (got[0] if batched else got)] == [1, 2, 3]
    client.send(json.dumps({"type": "publish", "events": []}))
    assert json.loads(client.recv(timeout=5))["type"] == "ack"


def test_without_the_extension_a_client_that_never_reads_is_let_go(hub, listen, monkeypatch):
    monkeypatch.setattr(FrameProtocol, "handle_connect", WebSocketsSansIOProtocol.handle_connect)
    listen("after=0", max_queue=1)
    run, batch = RunHead(UUID(int=1), "p", False), [NodeEvent(0, "a", bytes(32), "STARTED")] * 500
    end = time.monotonic() + 20
    while hub.listeners:
        assert time.monotonic() < end
        hub.publish(run, batch)
        time.sleep(0.005)
