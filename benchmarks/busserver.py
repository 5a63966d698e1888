"""The two servers that benchmarks/bus.py compares, each the body of a process that is told over a pipe what to do."""

from __future__ import annotations

import asyncio
import resource
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import UUID

from loom.api.sockets import text_frame
from loom.bus.encoding import event_json
from loom.events import NodeEvent, RunHead

RUN = RunHead(UUID(int=7), "p", False)
FIRST = 1_000_000
PER_BATCH = 100
"""Events published at once, as an ingest does."""

TOKEN = "bench"


def event(at: int) -> NodeEvent:
    """An event of always the same length, made at that time (microseconds since 1970)."""
    return NodeEvent(at, "sha256", bytes(32), "STARTED")


def message_bytes() -> int:
    """Bytes on the wire of one event in a frame of its own."""
    return len(text_frame(event_json(FIRST, RUN, event(0))))


def _now() -> int:
    return time.time_ns() // 1000


def _memory_mb() -> float:
    text = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmRSS"))) / 1024


def _obey(line: Connection, publish: Callable[[int], None], stalled: Callable[[], float]) -> None:
    """`publish` makes and sends so many events."""
    while True:
        order = line.recv()
        if order[0] == "cpu":
            used = resource.getrusage(resource.RUSAGE_SELF)
            line.send(used.ru_utime + used.ru_stime)
        elif order[0] == "memory":
            line.send(_memory_mb())
        elif order[0] == "stalled":
            line.send(stalled())
        elif order[0] == "flood":
            for _ in range(order[1] // PER_BATCH):
                publish(PER_BATCH)
            line.send(None)
        else:
            _, rate, seconds = order
            start = time.monotonic()
            for number in range(seconds * 100):
                time.sleep(max(0.0, start + number / 100 - time.monotonic()))
                publish(rate // 100)
            line.send(None)


def loom(line: Connection) -> None:
    """Loom's API with its bus, over an empty database."""
    from loom.api.app import create_app
    from loom.api.metrics import Metrics
    from loom.api.server import start_in_background
    from loom.bus.hub import Hub
    from loom.bus.sequence import MemorySequence
    from loom.graph.specs import Catalogue
    from loom.service.loom import LocalLoom
    from loom.store.database import Database

    hub = Hub(MemorySequence(FIRST))
    dismissed: list[float] = []
    told = Metrics.stalled
    began = [0.0]

    def stalled(self: Metrics) -> None:
        dismissed.append(time.monotonic() - began[0])
        told(self)

    Metrics.stalled = stalled  # type: ignore[method-assign]

    def publish(count: int) -> None:
        began[0] = began[0] or time.monotonic()
        hub.publish(RUN, [event(_now()) for _ in range(count)])

    with tempfile.TemporaryDirectory() as folder:
        database = Database.open(f"sqlite:///{folder}/loom.db")
        app: Any = create_app(LocalLoom(database, Path(folder), hub, Catalogue()), hub, Catalogue(), token=TOKEN)
        with start_in_background(app, "127.0.0.1", 0) as server:
            line.send(("127.0.0.1", server.port, f"/api/v1/pipelines/events/ws {TOKEN}"))
            _obey(line, publish, lambda: dismissed[0] if dismissed else float("inf"))


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
                send_to_all(clients, event_json(seq[0], RUN, event(_now())).decode())
            while any(client.transport.get_write_buffer_size() > 1 << 20 for client in clients):
                await asyncio.sleep(0.001)
            await asyncio.sleep(0)

        def publish(count: int) -> None:
            asyncio.run_coroutine_threadsafe(send(count), loop).result()

        async with serve(handler, "127.0.0.1", 0, compression=None, ping_interval=None, max_queue=None) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            line.send(("127.0.0.1", port, "/"))
            await asyncio.to_thread(_obey, line, publish, lambda: float("inf"))

    asyncio.run(main())


SERVERS: dict[str, Callable[[Connection], None]] = {"broadcast": broadcast, "loom": loom}
