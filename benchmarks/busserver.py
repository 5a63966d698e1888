"""The two servers that benchmarks/bus.py compares, each the body of a process that is told over a pipe what to do."""

from __future__ import annotations

import asyncio
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from busclients import Address

from loom.api.sockets import text_frame
from loom.bus.encoding import event_json
from loom.events import NodeEvent, RunHead

RUN = RunHead(UUID(int=7), "p", False)
FIRST = 1_000_000
PER_BATCH = 100
"""Events published at once, as an ingest does."""

TOKEN = "bench"
NEVER = float("inf")


class Dismissed(NamedTuple):
    """When a client was told to go because it does not read, and when its connection ended (`time.monotonic`)."""

    told: float = NEVER
    closed: float = NEVER


def event(at: int) -> NodeEvent:
    """An event of always the same length, made at that time (microseconds since 1970)."""
    return NodeEvent(at, "sha256", bytes(32), "STARTED")


def message_bytes() -> int:
    """Bytes on the wire of one event in a frame of its own."""
    return len(text_frame(event_json(FIRST, RUN, event(0))))


def _now() -> int:
    return time.time_ns() // 1000


def _pace(publish: Callable[[int], None], rate: int, seconds: int) -> None:
    start = time.monotonic()
    for number in range(seconds * 100):
        time.sleep(max(0.0, start + number / 100 - time.monotonic()))
        publish(rate // 100)


def _obey(line: Connection, publish: Callable[[int], None], dismissed: Callable[[int], Dismissed]) -> None:
    """`publish` makes and sends so many events; `dismissed` tells about the client with that port."""
    pacing = threading.Thread()
    while True:
        order = line.recv()
        if order[0] == "cpu":
            used = resource.getrusage(resource.RUSAGE_SELF)
            line.send(used.ru_utime + used.ru_stime)
        elif order[0] == "dismissed":
            line.send(dismissed(order[1]))
        elif order[0] == "flood":
            for _ in range(order[1] // PER_BATCH):
                publish(PER_BATCH)
            line.send(None)
        elif order[0] == "pace":
            pacing = threading.Thread(target=_pace, args=(publish, *order[1:]), daemon=True)
            pacing.start()
            line.send(None)
        elif order[0] == "is pacing":
            line.send(pacing.is_alive())


def _watch_for_stalled() -> Callable[[int], Dismissed]:
    """Looks on while connections are dismissed."""
    from loom.api.sockets import FrameProtocol

    told: dict[int, float] = {}
    closed: dict[int, float] = {}
    dismiss, lost = FrameProtocol.close_without_waiting, FrameProtocol.connection_lost

    def dismissing(self: Any, code: int, reason: str, grace_s: float) -> None:
        told[self.client[1]] = time.monotonic()
        dismiss(self, code, reason, grace_s)

    def losing(self: Any, error: Exception | None) -> None:
        closed[self.client[1]] = time.monotonic()
        lost(self, error)

    FrameProtocol.close_without_waiting = dismissing  # type: ignore[method-assign]
    FrameProtocol.connection_lost = losing  # type: ignore[assignment, method-assign]
    return lambda port: Dismissed(told.get(port, NEVER), closed.get(port, NEVER))


def loom(line: Connection) -> None:
    """Loom's API with its bus, over an empty database."""
    from loom.api.app import create_app
    from loom.api.server import start_in_background
    from loom.bus.hub import Hub
    from loom.bus.kept import KeptEvents
    from loom.bus.sequence import MemorySequence
    from loom.graph.specs import Catalogue
    from loom.service.loom import LocalLoom
    from loom.store.database import Database

    dismissed = _watch_for_stalled()

    def publish(count: int) -> None:
        hub.publish(RUN, [event(_now()) for _ in range(count)])

    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(MemorySequence(FIRST), kept=KeptEvents(Path(folder) / "events"))
        database = Database.open(f"sqlite:///{folder}/loom.db")
        app: Any = create_app(LocalLoom(database, Path(folder), hub, Catalogue()), hub, Catalogue(), token=TOKEN)
        with start_in_background(app, "127.0.0.1", 0) as server:
            line.send(Address("127.0.0.1", server.port, "/api/v1/pipelines/events/ws", TOKEN))
            _obey(line, publish, dismissed)


def broadcast(line: Connection) -> None:
    """The bare `websockets` server and its broadcast, encoded once per event."""
    from websockets.asyncio.server import broadcast as send_to_all
    from websockets.asyncio.server import serve

    async def main() -> None:
        loop = asyncio.get_running_loop()
        clients: set[Any] = set()

        async def handler(websocket: Any) -> None:
            clients.add(websocket)
            try:
                await websocket.wait_closed()
            finally:
                clients.discard(websocket)

        seq = [FIRST]

        async def send(count: int) -> None:
            for _ in range(count):
                seq[0] += 1
                send_to_all(clients, event_json(seq[0], RUN, event(_now())), text=True)
            while any(client.transport.get_write_buffer_size() > 1 << 20 for client in clients):
                await asyncio.sleep(0.001)
            await asyncio.sleep(0)

        def publish(count: int) -> None:
            asyncio.run_coroutine_threadsafe(send(count), loop).result()

        async with serve(handler, "127.0.0.1", 0, compression=None, ping_interval=None, max_queue=None) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            line.send(Address("127.0.0.1", port, "/", None))
            await asyncio.to_thread(_obey, line, publish, lambda _: Dismissed())

    asyncio.run(main())


SERVERS: dict[str, Callable[[Connection], None]] = {"broadcast": broadcast, "loom": loom}
