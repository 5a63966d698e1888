"""Counts for Prometheus, in its text format."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loom.api.exposition import head
from loom.api.processfigures import process_lines
from loom.bus.hub import Hub
from loom.processes import ProcessPipelineShape
from loom.version import VERSION

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


class Metrics:
    """Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[tuple[str, int], int] = {}
        self._buckets = [0] * (len(_BUCKETS) + 1)
        self._seconds = 0.0
        self._stalled = 0
        self._started = time.time()

    def request(self, method: str, status: int, seconds: float) -> None:
        bucket = next((index for index, bound in enumerate(_BUCKETS) if seconds <= bound), len(_BUCKETS))
        with self._lock:
            key = (method if method in _METHODS else "other", status)
            self._requests[key] = self._requests.get(key, 0) + 1
            self._buckets[bucket] += 1
            self._seconds += seconds

    def stalled(self) -> None:
        """A listener was closed because it did not read."""
        with self._lock:
            self._stalled += 1

    def text(self, hub: Hub, processes: Sequence[ProcessPipelineShape]) -> str:
        with self._lock:
            lines = [*self._process(), *self._http(), *self._bus(hub)]
        lines += process_lines(processes)
        return "\n".join(lines) + "\n"

    def _process(self) -> Iterator[str]:
        yield from head("loom_build_info", "gauge", "The version that runs.")
        yield f'loom_build_info{{version="{VERSION}"}} 1'
        yield from head("loom_start_time_seconds", "gauge", "When this server started.")
        yield f"loom_start_time_seconds {self._started:.3f}"

    def _http(self) -> Iterator[str]:
        yield from head("loom_http_requests_total", "counter", "Requests answered, by method and status.")
        for (method, status), count in sorted(self._requests.items()):
            yield f'loom_http_requests_total{{method="{method}",status="{status}"}} {count}'
        name = "loom_http_request_seconds"
        yield from head(name, "histogram", "Time until the answer was sent.")
        total = 0
        for bound, count in zip((*_BUCKETS, "+Inf"), self._buckets, strict=True):
            total += count
            yield f'{name}_bucket{{le="{bound}"}} {total}'
        yield f"{name}_sum {self._seconds:.6f}"
        yield f"{name}_count {total}"

    def _bus(self, hub: Hub) -> Iterator[str]:
        yield from head("loom_events_total", "counter", "Number of the newest event.")
        yield f"loom_events_total {hub.seq}"
        yield from head("loom_listeners", "gauge", "Who listens to the bus now.")
        yield f"loom_listeners {hub.listeners}"
        yield from head("loom_listeners_stalled_total", "counter", "Listeners closed because they did not read.")
        yield f"loom_listeners_stalled_total {self._stalled}"
        yield from head("loom_runs_live", "gauge", "Runs that go on now.")
        yield f"loom_runs_live {len(hub.live())}"


class Measure:
    """ASGI middleware that counts requests."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = time.perf_counter()
        try:
            await self._app(scope, receive, sending)
        finally:
            self._metrics.request(scope["method"], status, time.perf_counter() - began)
