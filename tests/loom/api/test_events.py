import json
import socket
import threading
import time
from contextlib import ExitStack
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from websockets.exceptions import ConnectionClosed, InvalidStatus

from loom.api.lines import Pace
from loom.api.sockets import SEND_BUFFER
from loom.events import NodeEvent, Progress, RunEvent, RunHead
from loom.model import AssetCounts, Branch, Origin, asset_uuid

RUN = RunHead(UUID(int=7), "photos", False)


def events(count, *, node="sha256", status="COMPLETED"):
    return [
        NodeEvent(1_000, node, index.to_bytes(32, "big"), status, Origin.COMPUTED, Branch.PASS, 3200)
        for index in range(count)
    ]


def frames(client, count):
    got = []
    while len(got) < count:
        frame = json.loads(client.recv(timeout=10))
        got += frame if isinstance(frame, list) else [frame]
    return got


def node(**more):
    return {"type": "node", "time": "2026-11-21T09:30:00.123Z", "run": str(RUN.uuid), "pipeline": "photos",
            "node": "sha256", "asset": str(asset_uuid(uuid4().bytes * 2)), "status": "STARTED", **more}  # fmt: skip


def ask(client, message):
    client.send(message if isinstance(message, (str, bytes)) else json.dumps(message))
    while True:
        frame = json.loads(client.recv(timeout=10))
        if frame["type"] in ("ack", "error"):
            return frame


def test_hello_then_what_comes(hub, listen):
    hub.publish(RUN, events(3))
    client = listen()
    assert frames(client, 1) == [{"type": "hello", "seq": 3}]
    hub.publish(RUN, events(2))
    assert [frame["seq"] for frame in frames(client, 2)] == [4, 5]


def test_a_lone_event_is_not_held_back(hub, listen):
    client = listen("batch=60000")
    frames(client, 1)
    began = time.monotonic()
    hub.publish(RUN, events(1))
    frames(client, 1)
    assert time.monotonic() - began < 5


def test_resume_is_without_loss_and_without_doubles(hub, listen):
    hub.publish(RUN, events(5000))
    client = listen("after=1234")
    assert [frame["seq"] for frame in frames(client, 3767)[1:]] == list(range(1235, 5001))


def test_what_is_gone_is_announced(hub, listen):
    hub.publish(RUN, events(20_005))
    client = listen("after=2&type=none")
    assert frames(client, 1) == [{"type": "hello", "seq": 20_005}]
    client = listen("after=2")
    hello, gap, first = frames(client, 3)[:3]
    assert hello["type"] == "hello"
    assert gap == {"type": "gap", "from": 3, "to": 5}
    assert first["seq"] == 6


def test_filters(hub, listen):
    client = listen("node=thumb,other&status=FAILED&status=SKIPPED&pipeline=photos&type=node")
    frames(client, 1)
    hub.publish(RUN, events(3) + events(1, node="thumb") + events(2, node="thumb", status="FAILED"))
    hub.publish(replace(RUN, pipeline="videos"), events(1, node="thumb", status="FAILED"))
    hub.publish(RUN, events(1, node="other", status="SKIPPED"))
    assert [(frame["seq"], frame["node"]) for frame in frames(client, 3)] == [(5, "thumb"), (6, "thumb"), (8, "other")]


def test_batches_are_arrays(hub, listen):
    hub.publish(RUN, events(300))
    client = listen("after=0&batch=50")
    assert json.loads(client.recv(timeout=10)) == {"type": "hello", "seq": 300}
    first = json.loads(client.recv(timeout=10))
    assert len(first) > 100
    rest = frames(client, 300 - len(first))
    assert [frame["seq"] for frame in first + rest] == list(range(1, 301))


def test_progress_has_no_number(hub, listen):
    client = listen()
    frames(client, 1)
    hub.progress(RUN, Progress(assets=AssetCounts(seen=9), nodes={}))
    (frame,) = frames(client, 1)
    assert (frame["type"], frame["assets"]["seen"], "seq" in frame) == ("progress", 9, False)


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "after=99999999999999999999", "batch=60001", "status=done", "type=hello", "run=5"]
)
def test_wishes_that_cannot_be_met_are_refused_before_the_handshake(listen, query):
    with pytest.raises(InvalidStatus) as refused:
        listen(query)
    assert refused.value.response.status_code == 422
    assert json.loads(refused.value.response.body)["code"] == "REQUEST_INVALID"


def test_published_events_are_numbered_acknowledged_and_seen(hub, listen):
    watching, worker = listen(), listen("type=none")
    frames(watching, 1)
    frames(worker, 1)
    answer = ask(worker, {"type": "publish", "id": 1, "events": [node(), node(status="COMPLETED", verdict="PASS")]})
    assert answer == {"type": "ack", "seq": 2, "id": 1}
    assert [(frame["seq"], frame["status"]) for frame in frames(watching, 2)] == [(1, "STARTED"), (2, "COMPLETED")]
    assert hub.listeners == 1, "who only publishes is no listener"


def test_progress_is_published_on_the_same_path(hub, listen):
    watching, worker = listen(), listen("type=none")
    frames(watching, 1)
    progress = {"type": "progress", "run": str(RUN.uuid), "pipeline": "photos", "assets": {"seen": 4}}
    assert ask(worker, {"type": "publish", "events": [progress]})["type"] == "ack"
    (frame,) = frames(watching, 1)
    assert (frame["type"], frame["assets"]["seen"], hub.seq) == ("progress", 4, 0)


def test_a_message_sent_again_is_published_once(hub, listen):
    message = {"type": "publish", "publisher": str(uuid4()), "id": 5, "events": [node()]}
    assert ask(listen("type=none"), message) == {"type": "ack", "seq": 1, "id": 5}
    assert ask(listen("type=none"), message) == {"type": "ack", "seq": 1, "id": 5}
    assert ask(listen("type=none"), {**message, "id": 6})["seq"] == 2
    assert ask(listen("type=none"), {**message, "publisher": str(uuid4())})["seq"] == 3


@pytest.mark.parametrize("bad", [{"status": "DONE"}, {"seq": 1}, {"time": "now"}, {"type": "hello"}])
def test_a_bad_event_is_refused_with_all_that_came_with_it(hub, listen, bad):
    client = listen("type=none")
    frames(client, 1)
    refused = ask(client, {"type": "publish", "id": 3, "events": [node(), node(**bad)]})
    assert (refused["type"], refused["code"], refused["retryable"]) == ("error", "REQUEST_INVALID", False)
    assert hub.seq == 0
    assert ask(client, {"type": "publish", "events": [node()]}) == {"type": "ack", "seq": 1, "id": None}


@pytest.mark.parametrize(
    ("message", "code"),
    [("x" * 70_000, 1009), ("x" * 1_100_000, 1009), (b"{}", 1003), ('{"type": "publish", "events": []}', None)],
)
def test_messages_are_bounded(listen, message, code):
    client = listen("type=none")
    frames(client, 1)
    if code is None:
        assert ask(client, message)["type"] == "ack"
        return
    client.send(message)
    with pytest.raises(ConnectionClosed) as closed:
        client.recv(timeout=10)
    assert closed.value.rcvd.code == code


def test_a_long_message_may_publish(hub, listen):
    client = listen("type=none")
    assert ask(client, {"type": "publish", "events": [node() for _ in range(2000)]})["seq"] == 2000


@pytest.fixture
def deaf(server, hub):
    """Makes clients that do the handshake and read nothing."""
    with ExitStack() as stack:

        def make(query=""):
            before = hub.listeners
            sock = stack.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(10)
            sock.connect(("127.0.0.1", server.port))
            sock.sendall(
                f"GET /api/v1/pipelines/events/ws?{query} HTTP/1.1\r\nHost: localhost\r\n"
                "Authorization: Bearer open sesame\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
            )
            wait_until(lambda: hub.listeners > before)
            return sock

        yield make


def wait_until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def everything_from(sock):
    data = b""
    while piece := sock.recv(65536):
        data += piece
    return data


def payloads(data):
    """The payloads of unmasked frames, the close frame's code last."""
    at = data.index(b"\r\n\r\n") + 4
    found = []
    while at < len(data):
        kind, size = data[at], data[at + 1]
        at += 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, at = int.from_bytes(data[at : at + width], "big"), at + width
        body, at = data[at : at + size], at + size
        found.append(int.from_bytes(body[:2], "big") if kind == 0x88 else json.loads(body) if kind == 0x81 else None)
    return found


def publish_until(hub, condition):
    """A flood with a probe in each batch; when each probe was sent, by its number."""
    sent = {}

    def flood():
        hub.publish(RUN, events(200))
        sent[hub.seq + 1] = time.monotonic()
        hub.publish(RUN, events(1, node="probe"))
        return condition()

    wait_until(flood)
    return sent


@pytest.mark.parametrize("query", ["", "batch=20"])
def test_a_client_that_never_reads_is_told_and_closed_and_delays_nobody(hub, deaf, listen, query):
    reader = listen("node=probe")
    frames(reader, 1)
    client = deaf(query)
    got = {}
    thread = threading.Thread(target=lambda: got.update((json.loads(t)["seq"], time.monotonic()) for t in reader))
    thread.start()
    sent = publish_until(hub, lambda: hub.listeners == 1)
    told = payloads(everything_from(client))
    wait_until(lambda: len(got) == len(sent))
    reader.close()
    thread.join()
    assert got.keys() == sent.keys()
    delays = sorted(got[seq] - sent[seq] for seq in sent)
    assert delays[len(delays) // 2] < 0.2
    assert delays[-1] < 1.5
    assert told[-1] == 1013
    before = [one for frame in told[:-1] for one in (frame if isinstance(frame, list) else [frame])]
    gap = before.pop()
    assert [one["seq"] for one in before[1:]] == list(range(1, gap["from"])), "every event was sent or is in the gap"
    assert gap["type"] == "gap"


def test_who_does_not_read_is_gone_within_five_seconds():
    """Half a second is left for the buffers to fill."""
    pace = Pace()
    assert pace.stall + pace.look + pace.grace < 4.5


def test_a_client_that_stays_silent_after_the_goodbye_is_cut_off(hub, server, deaf):
    client = deaf()
    publish_until(hub, lambda: hub.listeners == 0)
    time.sleep(1.3)
    data = everything_from(client)
    assert b"come back with after=SEQ" not in data[-200:], "what waited in the server was dropped with the connection"
    assert len(data) < 3 * SEND_BUFFER, "the kernel keeps little for a client"


def test_a_run_is_over_for_all_when_the_bus_closes(hub, listen):
    client = listen()
    frames(client, 1)
    hub.publish(RUN, [RunEvent(0, "COMPLETED")])
    frames(client, 1)
    hub.close()
    with pytest.raises(ConnectionClosed) as closed:
        client.recv(timeout=10)
    assert closed.value.rcvd.code == 1012
