import socket
import struct
from collections.abc import Iterator

import msgspec
import pytest
from sandboxes import item

from cortex.engine import wire
from cortex.engine.records import Answer, Blame, Computed, Identity, Walked
from cortex.node import ProducedArtifact
from loom.model import Branch, FileStat, Kind, Origin, Outcome, Reason, State, StoredResult

STORED = StoredResult(b"s" * 32, State.COMPLETED, Branch.PASS, b'{"x":1}')
WALKED = Walked(
    7, Identity(7, b"a" * 32, 1, "image/png", Kind.IMAGE, 0), FileStat(1, 2, 3, 4), True,
    (Outcome(State.SKIPPED, Reason.STORED, Origin.CACHED), None),
    (Computed(0, Branch.FAIL, b"{}", (ProducedArtifact("a", b"\x00\xff", "image/webp"),), None, None, 1, 2, False),),
    ((1, STORED, Origin.REMOTE),), ("FILE_DAMAGED", "cut off"), 1,
)  # fmt: skip


@pytest.fixture
def ends() -> Iterator[tuple[wire.Line, socket.socket]]:
    parent, worker = socket.socketpair()
    with worker:
        line = wire.Line(parent)
        yield line, worker
        line.close()


def test_what_a_worker_says_arrives_as_it_was(ends: tuple[wire.Line, socket.socket]) -> None:
    line, worker = ends
    report = wire.Report([WALKED], [], [wire.Log(7, "cortex", 30, "m")], True, 0.5, -3, ("INTERNAL", "no"))
    wire.send(worker, report)
    assert line.receive() == [report]


def test_orders_arrive_as_they_were(ends: tuple[wire.Line, socket.socket]) -> None:
    line, worker = ends
    orders = wire.Orders(worker)
    sent = [
        wire.Order(
            items=[item(1, blamed=(Blame(0, -1, "image", "TIMED_OUT", "long"),), resume=WALKED, asset=b"a" * 32)]
        ),
        wire.Order(answers=[Answer(1, True, ((0, STORED, Origin.REMOTE),))]),
        wire.Order(),
    ]
    for order in sent:
        line.send(order)
    assert [orders.receive() for _ in sent] == sent
    line.close()
    with pytest.raises(EOFError):
        orders.receive()


def test_a_message_may_come_in_pieces(ends: tuple[wire.Line, socket.socket]) -> None:
    line, worker = ends
    body = msgspec.msgpack.encode(wire.Report(walked=[WALKED]))
    whole = struct.pack("<I", len(body)) + body
    received = []
    for piece in (whole[:2], whole[2:9], whole[9:] + whole[:5], whole[5:]):
        worker.sendall(piece)
        received.append(line.receive())
    assert [len(reports) for reports in received] == [0, 0, 1, 1]
    assert not line.hung_up


def test_the_parent_never_waits_for_a_worker_that_does_not_read(ends: tuple[wire.Line, socket.socket]) -> None:
    line, worker = ends
    order = wire.Order(items=[item(1, "x" * 3_000_000)])
    line.send(order)
    assert line.has_more_to_send
    got = bytearray()
    while line.has_more_to_send:
        got += worker.recv(1 << 20)
        line.flush()
    while len(got) < struct.unpack_from("<I", got)[0] + 4:
        got += worker.recv(1 << 20)
    assert msgspec.msgpack.decode(got[4:], type=wire.Order) == order


def test_it_is_seen_when_the_worker_is_gone(ends: tuple[wire.Line, socket.socket]) -> None:
    line, worker = ends
    wire.send(worker, wire.Report(ended=True))
    worker.close()
    assert line.receive(everything=True) == [wire.Report(ended=True)]
    assert line.hung_up


@pytest.mark.parametrize("said", [b"\xff\xff\xff\xff", b"\x02\x00\x00\x00\x01\x02", b"\x04\x00\x00\x00\x91\x91\xa1x"])
def test_nonsense_is_refused(ends: tuple[wire.Line, socket.socket], said: bytes) -> None:
    line, worker = ends
    worker.sendall(said)
    with pytest.raises((ValueError, msgspec.DecodeError)):
        line.receive()
