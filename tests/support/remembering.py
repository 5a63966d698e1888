"""Scans against the memory of a real Loom."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from blake3 import blake3
from databases import new_sqlite

from cortex.catalogue import load
from cortex.sources.found import ScanOptions
from cortex.sources.scan import Scan
from loom.model import AssetReport, FoundAt, Kind, RunOpening, Worker
from loom.service import LocalLoom
from loom.store.database import Database

HOST = "here"
PLAN = b"p" * 32
DEFINITION = {
    "schema_version": 1,
    "name": "scan",
    "graph": {
        "nodes": [{"id": "files", "operator": "source.filesystem"}, {"id": "aside", "operator": "sink.collect",
                   "config": {"collection": "all"}}],
        "edges": [{"from": {"node": "files"}, "to": {"node": "aside"}}],
    },
}  # fmt: skip


class Silence:
    """A bus that nobody listens to."""

    def publish(self, run, events) -> None: ...

    def progress(self, run, progress) -> None: ...

    def live(self):
        return []


class Remembering:
    """A Loom, and a run in which files are reported as settled."""

    def __init__(self, loom: LocalLoom) -> None:
        self.loom = loom
        self.run = uuid4()
        loom.save_pipeline(DEFINITION)
        worker = Worker(name="test")
        loom.open_run(
            RunOpening(uuid=self.run, pipeline="scan", version=1, plan=PLAN, settles=PLAN, steps=(), worker=worker,
                       host=HOST, started=0)
        )  # fmt: skip

    def scan(self, *roots: bytes, settle: bool = True, **options) -> tuple[Scan, list[bytes]]:
        scan = Scan(roots, ScanOptions(**options), ledger=self.loom, host=HOST, plan=PLAN)
        found = list(scan)
        if settle:
            self.loom.report(self.run, [self._settled(each.directory, each.name, each.stat) for each in found])
        return scan, [each.relative for each in found]

    def _settled(self, directory: bytes, name: bytes, stat) -> AssetReport:
        digest = blake3(Path(os.fsdecode(os.path.join(directory, name))).read_bytes()).digest()
        place = FoundAt(directory, name, stat, True)
        return AssetReport(digest, stat.size, "text/plain", Kind.TEXT, (place,), outcomes=b"", settled=True)

    def states(self, path: bytes) -> dict[str, str]:
        asset = self.loom.asset_by_path(HOST, path)
        return {os.path.basename(location.path): str(location.state) for location in asset.locations}


@contextmanager
def remembering_in(folder: Path) -> Iterator[Remembering]:
    loom = LocalLoom(Database.open(new_sqlite(folder)), folder / "blobs", Silence(), load())
    yield Remembering(loom)
    loom.close()
