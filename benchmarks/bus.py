"""The bus over WebSocket, side by side with the bare `websockets` broadcast of the same messages.

    python benchmarks/bus.py [SECTION...] [--rounds N] [--json FILE]

rate        events as fast as they go to 1, 100 and 1,000 clients, one event a frame
delay       1,000 events a second to 1,000 clients: how long one is on its way
stalled     two clients that stop reading and fifty slow ones beside 100 others: memory, delay, and who is told what

Server and clients are processes of their own; clients are raw sockets that count bytes, so that they cost little.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from busclients import (
    Address,
    Client,
    Delays,
    connect_many,
    disconnect,
    full_since,
    open_socket,
    read_rest,
    read_slowly,
)
from busserver import NEVER, SERVERS, Dismissed, message_bytes
from figures import Figure, report
from measure import resident_mb

EVENTS = {1: 90_000, 100: 5_000, 1000: 1_000}
"""Fewer than the log holds, so that a flood need not wait for those who read."""

WARM = 120_000
"""More than the log holds."""

SLOW = 50
SLOW_BYTES, SLOW_EVERY_S = 4096, 0.1
"""What a slow client reads: an eighth of what comes at 1,000 events a second."""

SLOW_BUFFER = 16 * 1024
"""Within a machine nothing is sent until a whole buffer of the client's is free: with the usual one, who reads little
looks like one who reads nothing for seconds."""

WAKES_AFTER_S = 0.5
"""After it was told to go, one of the two that stopped reading reads on."""


class Running(NamedTuple):
    """A server in a process of its own: where it listens, and the line on which it is told what to publish."""

    pid: int
    line: Connection
    address: Address

    def dismissed(self, sock: socket.socket) -> Dismissed:
        found: Dismissed = self.ask("dismissed", sock.getsockname()[1])
        return found

    def ask(self, *order: object) -> Any:
        self.line.send(order)
        return self.line.recv()


@contextmanager
def serving(kind: str) -> Iterator[Running]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=SERVERS[kind], args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Running(process.pid or 0, ours, ours.recv())
    finally:
        process.kill()
        process.join()


async def _deliver(server: Running, count: int) -> tuple[float, float]:
    """Deliveries a second, and microseconds of the server's CPU for each."""
    clients = await connect_many(server.address, count)
    await asyncio.sleep(0.2)
    events = EVENTS[count]
    before, start = server.ask("cpu"), time.perf_counter()
    server.line.send(("flood", events))
    await _until_all_have(clients, events * message_bytes())
    took = time.perf_counter() - start
    server.line.recv()
    cpu = server.ask("cpu") - before
    await disconnect(clients)
    return count * events / took, cpu / (count * events) * 1e6


async def _until_all_have(clients: list[Client], wanted: int) -> None:
    deadline = time.monotonic() + 120
    for client in clients:
        while client.received < wanted:
            if time.monotonic() > deadline or client.is_closed:
                raise RuntimeError(f"a client got only {client.received} of {wanted} bytes")
            await asyncio.sleep(0.002)


def rate(rounds: int) -> list[Figure]:
    figures = []
    for count in EVENTS:
        took: dict[str, list[tuple[float, float]]] = {kind: [] for kind in SERVERS}
        for _ in range(rounds):
            for kind in SERVERS:
                with serving(kind) as server:
                    took[kind].append(asyncio.run(_deliver(server, count)))
        for kind, found in took.items():
            figures.append(Figure(f"{kind}, {count} clients: deliveries", statistics.median(a for a, _ in found), "/s"))
            figures.append(
                Figure(f"{kind}, {count} clients: server's CPU", statistics.median(b for _, b in found), "µs")
            )
        ratio = statistics.median(b[0] / a[0] for a, b in zip(took["loom"], took["broadcast"], strict=True))
        figures.append(Figure(f"broadcast / loom, deliveries to {count} clients", ratio, "x", 0.5))
    return figures


async def _delays(server: Running, count: int, seconds: int) -> list[float]:
    """Of 1,000 events a second, as some of so many clients see them."""
    clients = await connect_many(server.address, count)
    watched = [Delays(client) for client in clients[:: max(1, count // 20)]]
    await _paced(server, seconds)
    await _until_all_have(clients, seconds * 1000 * message_bytes())
    await disconnect(clients)
    return sorted(delay for one in watched for delay in one.found)


async def _paced(server: Running, seconds: int) -> None:
    server.ask("pace", 1000, seconds)
    while server.ask("is pacing"):
        await asyncio.sleep(0.1)


def _p99(found: list[float]) -> float:
    return found[int(len(found) * 0.99)] * 1e3


def delay(rounds: int) -> list[Figure]:
    with serving("loom") as server:
        found = asyncio.run(_delays(server, 1000, 10))
    return [
        Figure("median delay at 1,000 events/s to 1,000 clients", statistics.median(found) * 1e3, "ms"),
        Figure("p99 delay at 1,000 events/s to 1,000 clients", _p99(found), "ms", 250),
    ]


async def _warm_up(server: Running) -> None:
    """Fills the log with events that somebody has read."""
    clients = await connect_many(server.address, 1)
    for part in range(1, 7):
        server.ask("flood", WARM // 6)
        await _until_all_have(clients, part * (WARM // 6) * message_bytes())
    await disconnect(clients)


async def _peak_mb(pid: int) -> float:
    """The most memory that a process was seen to use, until this is cancelled."""
    peak = 0.0
    with suppress(asyncio.CancelledError):
        while True:
            peak = max(peak, resident_mb(pid))
            await asyncio.sleep(0.1)
    return peak


async def _wakes(server: Running, sock: socket.socket) -> bytes:
    """What a client that did not read finds when it reads on shortly after it was told to go."""
    await full_since(sock)
    while server.dismissed(sock).told == NEVER:
        await asyncio.sleep(0.1)
    await asyncio.sleep(WAKES_AFTER_S)
    return await read_rest(sock)


async def _stalled(server: Running) -> list[Figure]:
    await _warm_up(server)
    alone = await _delays(server, 100, 5)
    memory = resident_mb(server.pid)
    stops, wakes = [await open_socket(server.address) for _ in range(2)]
    slow = [await open_socket(server.address, SLOW_BUFFER) for _ in range(SLOW)]
    reading = [asyncio.create_task(read_slowly(sock, SLOW_BYTES, SLOW_EVERY_S)) for sock in slow]
    full, found = asyncio.create_task(full_since(stops)), asyncio.create_task(_wakes(server, wakes))
    peak = asyncio.create_task(_peak_mb(server.pid))
    beside = await _delays(server, 100, 15)
    peak.cancel()
    told, closed = server.dismissed(stops)
    gone = sum(server.dismissed(sock).told < NEVER for sock in slow)
    tail = await found
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    for sock in (stops, wakes, *slow):
        sock.close()
    return [
        Figure("p99 delay of 100 clients alone", _p99(alone), "ms"),
        Figure("p99 delay beside the stopped and slow ones", _p99(beside), "ms", 250),
        Figure("server's memory grown by, at most", await peak - memory, "MB", 10),
        Figure("who never reads: told after nothing more fitted", told - await full, "s"),
        Figure("who never reads: closed after nothing more fitted", closed - await full, "s", 5),
        Figure("who reads on after being told: finds no gap", float(b'"gap"' not in tail), "", 0),
        Figure(f"slow clients that were told to go, of {SLOW}", gone, ""),
    ]


def stalled(rounds: int) -> list[Figure]:
    with serving("loom") as server:
        return asyncio.run(_stalled(server))


if __name__ == "__main__":
    report(__doc__, {"rate": rate, "delay": delay, "stalled": stalled})
