"""`loom serve` as benchmarks/page.py shows it: with a run that is told of by a worker that does nothing, or with one of
a million assets."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from websockets.sync.client import connect

NODES = ("sha256", "metadata", "thumbnail")
EVENTS_PER_ASSET = 2 * len(NODES) + 1
_SOURCE = "files"
_BATCH = 25
"""Assets that are told of at once."""


class Loom(NamedTuple):
    """A server that runs, and how it is spoken to as a worker."""

    url: str
    token: str
    api: httpx.Client

    def get(self, path: str) -> Any:
        return self.api.get(path).raise_for_status().json()

    def post(self, path: str, body: Any) -> None:
        self.api.post(path, json=body).raise_for_status()


@contextmanager
def serving(folder: Path) -> Iterator[Loom]:
    """A server over the data below `folder`, until the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "LOOM_DATA_DIR": str(folder), "XDG_CONFIG_HOME": str(folder)}
    url = f"http://127.0.0.1:{port}"
    with (folder / "serve.log").open("wb") as log:
        command = [sys.executable, "-m", "loom", "serve", "--port", str(port)]
        process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        while url not in (said := (folder / "serve.log").read_text()):
            if process.poll() is not None:
                raise RuntimeError(f"loom serve ended: {said[-500:]}")
            time.sleep(0.02)
        token = (folder / "token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=60, trust_env=False) as api:
            yield Loom(url, token, api)
    finally:
        process.terminate()
        process.wait()


def begin(loom: Loom, run: str) -> None:
    """A run of three nodes, begun."""
    ids = (_SOURCE, *NODES)
    operators = ("source.filesystem", "hash.sha256", "media.metadata", "media.thumbnail")
    nodes = [{"id": node, "operator": operator} for node, operator in zip(ids, operators, strict=True)]
    edges = [{"from": {"node": one}, "to": {"node": two}} for one, two in pairwise(ids)]
    steps = [
        {
            "node": node,
            "operator": operator,
            "operator_version": "1",
            "signature": hashlib.sha256(node.encode()).hexdigest(),
        }
        for node, operator in zip(NODES, operators[1:], strict=True)
    ]
    opening = {
        "uuid": run,
        "pipeline": "flood",
        "version": 0,
        "plan": "0" * 64,
        "steps": steps,
        "worker": {"name": "bench"},
        "host": "bench",
        "started": _now(),
        "definition": {"schema_version": 1, "name": "flood", "graph": {"nodes": nodes, "edges": edges}},
    }
    loom.post("/runs", opening)
    publish(loom, [{"type": "run", **_head(run), "time": _now(), "status": "STARTED"}])


def tell(loom: Loom, run: str, assets: int, rate: int) -> float:
    """Publishes what happens to so many assets, `rate` events a second, and its progress; seconds it took."""
    began, told = time.monotonic(), 0.0
    with _socket(loom) as line:
        for first in range(0, assets, _BATCH):
            last = min(first + _BATCH, assets)
            events = [event for number in range(first, last) for event in _events(run, number)]
            if (now := time.monotonic()) - told > 0.25:
                told = now
                events.append(_progress(run, last, assets))
            _ask(line, events)
            time.sleep(max(0.0, began + last * EVENTS_PER_ASSET / rate - time.monotonic()))
    return time.monotonic() - began


def finish(loom: Loom, run: str, assets: int) -> None:
    """Stores the counts of a run and tells that it ended."""
    closing = {
        "state": "COMPLETED",
        "finished": _now(),
        "assets": {"seen": assets, "completed": assets},
        "nodes": {node: {"computed": assets, "failed": 0} for node in NODES},
    }
    loom.post(f"/runs/{run}/finish", closing)
    publish(loom, [{"type": "run", **_head(run), "time": _now(), "status": "COMPLETED"}])


def publish(loom: Loom, events: list[dict[str, Any]]) -> None:
    with _socket(loom) as line:
        _ask(line, events)


def fill(folder: Path, assets: int) -> None:
    """So many assets with a file and an outcome in the only run of the database below `folder`."""
    from loom.model import Branch, Origin, Outcome, State
    from loom.packing import pack_outcomes
    from loom.store import tables
    from loom.store.database import Database

    packed = pack_outcomes([Outcome(State.COMPLETED, None, Origin.COMPUTED, Branch.PASS, 1500) for _ in NODES])
    database = Database.open(f"sqlite:///{folder}/loom.db")
    common = {"size": 1000, "first_seen": 1}
    with database.write() as connection:
        connection.execute(
            tables.directories.insert(), {"id": 1, "key": b"k" * 32, "host": "bench", "path": b"/photos"}
        )
        for first in range(1, assets + 1, 10_000):
            numbers = range(first, min(first + 10_000, assets + 1))
            files = [(number, b"%08d.jpg" % number) for number in numbers]
            connection.execute(
                tables.assets.insert(),
                [
                    {"id": number, "blake3": hashlib.sha256(name).digest(), "mime": "image/jpeg", "kind": "image"}
                    | common
                    for number, name in files
                ],
            )
            place = {"directory": 1, "mtime_ns": 1, "inode": 1, "device": 1, "state": 0, "trusted": 1, "last_seen": 1}
            connection.execute(
                tables.locations.insert(),
                [{"name": name, "asset": number, "folded": name.decode()} | place | common for number, name in files],
            )
            connection.execute(
                tables.outcomes.insert(),
                [
                    {"run": 1, "asset": number, "packed": packed, "failed": 0, "position": number - 1}
                    for number in numbers
                ],
            )
    database.close()


def _events(run: str, number: int) -> Iterator[dict[str, Any]]:
    asset = f"{number:08x}-0000-8000-8000-000000000000"
    for node in NODES:
        common = {"type": "node", **_head(run), "time": _now(), "node": node, "asset": asset}
        yield {**common, "status": "STARTED"}
        yield {**common, "status": "COMPLETED", "origin": "COMPUTED", "verdict": "PASS", "duration_ms": 1.5}
    ends = {node: {"state": "COMPLETED", "origin": "COMPUTED"} for node in NODES}
    yield {"type": "asset", **_head(run), "time": _now(), "asset": asset, "status": "COMPLETED", "nodes": ends}


def _progress(run: str, done: int, total: int) -> dict[str, Any]:
    return {
        "type": "progress",
        **_head(run),
        "assets": {"seen": done, "completed": done},
        "nodes": {node: {"computed": done} for node in NODES},
        "bytes": done * 1000,
        "total": total,
        "current": [f"/photos/{done:08}.jpg", f"/photos/{done + 1:08}.jpg"],
    }


def _head(run: str) -> dict[str, Any]:
    return {"run": run, "pipeline": "flood", "dry_run": False}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@contextmanager
def _socket(loom: Loom) -> Iterator[Any]:
    address = f"{loom.url.replace('http', 'ws')}/api/v1/pipelines/events/ws?type=none"
    headers = {"Authorization": f"Bearer {loom.token}"}
    with connect(address, additional_headers=headers, proxy=None, compression=None) as line:
        line.recv()
        yield line


def _ask(line: Any, events: list[dict[str, Any]]) -> None:
    line.send(json.dumps({"type": "publish", "events": events}))
    if '"ack"' not in (answer := line.recv()):
        raise RuntimeError(answer)
