"""The bus over WebSocket, side by side with the bare `websockets` broadcast of the same messages.

    python benchmarks/bus.py [SECTION...] [--rounds N] [--json FILE]

rate        events as fast as they go to 1, 100 and 1,000 clients, one event a frame
delay       1,000 events a second to 1,000 clients: how long one is on its way
stalled     a client that never reads and fifty slow ones beside 100 others: memory, delay, and who is told what

Server and clients are processes of their own; clients are raw sockets that count bytes, so that they cost little.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import statistics
import time
from collections.abc import Callable
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from busserver import SERVERS, message_bytes
from ingest import Figure
from measure import machine

EVENTS = {1: 90_000, 100: 60_000, 1000: 4_000}
"""Fewer than the log holds, so that a flood need not wait for those who read."""

WARM = 120_000
"""More than the log holds."""

RATES = (1, 100, 1000)
_HELLO = b'"hello"'


class Running(NamedTuple):
    """A server in a process of its own: where it listens, and the line on which it is told what to publish."""

    process: Any
    line: Connection
    address: tuple[str, int, str]


def start(kind: str) -> Running:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=SERVERS[kind], args=(theirs,), daemon=True)
    process.start()
    return Running(process, ours, ours.recv())


def ask(server: Running, *order: object) -> Any:
    server.line.send(order)
    return server.line.recv()


class Client(asyncio.Protocol):
    """Reads what comes and counts it; `slow`: so many bytes every tenth of a second, 0 for none at all."""

    def __init__(self, request: bytes, greets: bool, slow: int | None = None) -> None:
        self._request = request
        self._greets = greets
        self._head = b""
        self._slow = slow
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.received = 0
        self.seen: Callable[[bytes], None] | None = None
        self.closed_at: float | None = None
        self.tail = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self.ready.done():
            self.received += len(data)
            self.tail = data[-4096:]
            if self.seen is not None:
                self.seen(data)
            return
        self._head += data
        end = self._head.find(b"\r\n\r\n")
        if end >= 0 and (not self._greets or _HELLO in self._head[end:]):
            if not self._head.startswith(b"HTTP/1.1 101"):
                raise RuntimeError(self._head[:200].decode())
            self.ready.set_result(None)
            if self._slow is not None:
                self.transport.pause_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self.closed_at = time.monotonic()
        if not self.ready.done():
            self.ready.set_exception(error or ConnectionError("closed before it was ready"))

    async def read_slowly(self) -> None:
        """Takes a little now and then, for as long as the connection lives."""
        while self._slow and self.closed_at is None:
            self.transport.resume_reading()
            await asyncio.sleep(0)
            self.transport.pause_reading()
            await asyncio.sleep(0.1)


async def connect(address: tuple[str, int, str], slow: int | None = None) -> Client:
    host, port, head = address
    request = (
        f"GET {head.split(' ')[0]} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    )
    if " " in head:
        request += f"Authorization: Bearer {head.split(' ')[1]}\r\n"
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: Client(f"{request}\r\n".encode(), " " in head, slow), host, port)
    await client.ready
    return client


async def connect_many(address: tuple[str, int, str], count: int) -> list[Client]:
    clients: list[Client] = []
    while len(clients) < count:
        clients += await asyncio.gather(*(connect(address) for _ in range(min(50, count - len(clients)))))
    return clients


async def _deliver(server: Running, count: int, events: int) -> tuple[float, float]:
    """Deliveries a second, and microseconds of the server's CPU for each."""
    clients = await connect_many(server.address, count)
    await asyncio.sleep(0.2)
    wanted = events * message_bytes()
    before, start = ask(server, "cpu"), time.perf_counter()
    server.line.send(("flood", events))
    deadline = time.monotonic() + 120
    while any(client.received < wanted for client in clients):
        if time.monotonic() > deadline or any(client.closed_at for client in clients):
            least = min(client.received for client in clients)
            raise RuntimeError(f"a client got only {least} of {wanted} bytes")
        await asyncio.sleep(0.002)
    took = time.perf_counter() - start
    server.line.recv()
    cpu = ask(server, "cpu") - before
    for client in clients:
        client.transport.abort()
    await asyncio.sleep(0.2)
    return count * events / took, cpu / (count * events) * 1e6


def rate(rounds: int) -> list[Figure]:
    figures = []
    for count in RATES:
        took: dict[str, list[tuple[float, float]]] = {kind: [] for kind in SERVERS}
        for _ in range(rounds):
            for kind in SERVERS:
                server = start(kind)
                try:
                    took[kind].append(asyncio.run(_deliver(server, count, EVENTS[count])))
                finally:
                    server.process.kill()
                    server.process.join()
        for kind, found in took.items():
            figures.append(Figure(f"{kind}, {count} clients: deliveries", statistics.median(a for a, _ in found), "/s"))
            figures.append(
                Figure(f"{kind}, {count} clients: server's CPU", statistics.median(b for _, b in found), "µs")
            )
        ratio = statistics.median(b[0] / a[0] for a, b in zip(took["loom"], took["broadcast"], strict=True))
        figures.append(Figure(f"broadcast / loom, deliveries to {count} clients", ratio, "x", 0.5))
    return figures


class _Delays:
    """How old events are when they come, told from the time that stands in them (to the millisecond)."""

    def __init__(self, client: Client) -> None:
        self.found: list[float] = []
        self._rest = b""
        client.seen = self._look

    def _look(self, data: bytes) -> None:
        now = time.time()
        pieces = (self._rest + data).split(b'"run":')
        self._rest = pieces.pop()
        for piece in pieces:
            sent = piece.rpartition(b'"time":"')[2][:24].decode()
            self.found.append(now - datetime.fromisoformat(sent).timestamp())


async def _delays(server: Running, others: int, seconds: int, also: Callable[[], Any] | None = None) -> list[float]:
    clients = await connect_many(server.address, others)
    watched = [_Delays(client) for client in clients[:: max(1, others // 20)]]
    extra = await also() if also is not None else None
    server.line.send(("pace", 1000, seconds))
    while not server.line.poll():
        await asyncio.sleep(0.01)
    server.line.recv()
    await asyncio.sleep(0.5)
    found = [delay for one in watched for delay in one.found]
    if len(found) < len(watched) * 1000 * seconds:
        raise RuntimeError(f"only {len(found)} events came")
    if extra is not None:
        extra.append(clients)
    return sorted(found)


def delay(rounds: int) -> list[Figure]:
    server = start("loom")
    try:
        found = asyncio.run(_delays(server, 1000, 10))
    finally:
        server.process.kill()
    return [
        Figure("median delay at 1,000 events/s to 1,000 clients", statistics.median(found) * 1e3, "ms"),
        Figure("p99 delay at 1,000 events/s to 1,000 clients", found[int(len(found) * 0.99)] * 1e3, "ms", 250),
    ]


async def _stalled(server: Running) -> list[Figure]:
    ask(server, "flood", WARM)
    before = await _delays(server, 100, 5)
    memory = ask(server, "memory")
    kept: list[Any] = []
    tasks: list[asyncio.Task[None]] = []

    async def bad_ones() -> list[Any]:
        kept.append(await connect(server.address, slow=0))
        kept.extend([await connect(server.address, slow=4096) for _ in range(50)])
        tasks.extend(asyncio.create_task(client.read_slowly()) for client in kept[1:])
        return []

    began = time.monotonic()
    after = await _delays(server, 100, 15, bad_ones)
    grown = ask(server, "memory") - memory
    never: Client = kept[0]
    never.transport.resume_reading()
    while never.closed_at is None and time.monotonic() - began < 60:
        await asyncio.sleep(0.01)
    stalled_after = ask(server, "stalled")
    return [
        Figure("p99 delay of 100 clients alone", before[int(len(before) * 0.99)] * 1e3, "ms"),
        Figure("p99 delay beside the stalled and slow ones", after[int(len(after) * 0.99)] * 1e3, "ms", 250),
        Figure("server's memory grown by", grown, "MB", 10),
        Figure("the stalled one was dismissed after", stalled_after, "s", 5),
        Figure("slow clients that were dismissed", sum(client.closed_at is not None for client in kept[1:]), ""),
        Figure("the stalled one found a gap (0: yes)", float(b'"gap"' not in never.tail), "", 0),
    ]


def stalled(rounds: int) -> list[Figure]:
    server = start("loom")
    try:
        return asyncio.run(_stalled(server))
    finally:
        server.process.kill()


SECTIONS: dict[str, Callable[[int], list[Figure]]] = {"rate": rate, "delay": delay, "stalled": stalled}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if unknown := set(options.sections) - set(SECTIONS):
        parser.error(f"no section {', '.join(sorted(unknown))}")
    report: dict[str, Any] = {"machine": machine(), "rounds": options.rounds}
    print(", ".join(f"{name} {value}" for name, value in report["machine"].items()))
    for name in options.sections or SECTIONS:
        print(f"\n{name}", flush=True)
        figures = SECTIONS[name](options.rounds)
        print("\n".join(figure.line() for figure in figures), flush=True)
        report[name] = [figure._asdict() for figure in figures]
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
