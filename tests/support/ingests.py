"""Whole ingests in this process: a real Loom on SQLite, real worker processes, real files."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from databases import new_sqlite

from cortex.catalogue import load
from cortex.engine.cache import Cache
from cortex.engine.ingest import Ended, Ingest
from cortex.engine.ingest_order import Order
from cortex.engine.limits import Limits
from cortex.engine.scheme import Chosen, make_scheme
from cortex.ingesting import make_files
from cortex.request import Request
from loom.events import AssetEvent, Event, NodeEvent, RunEvent, RunHead
from loom.local import hold_loom
from loom.model import Worker
from loom.service.loom import LocalLoom
from loom.settings import LoomSettings

HOST = "here"


@contextmanager
def loom_in(folder: Path) -> Iterator[LocalLoom]:
    new_sqlite(folder)
    with hold_loom(LoomSettings.load({"data_dir": folder})) as local:
        yield local.loom


class Faulty:
    """A Loom of which some verbs fail: `faults` maps a verb to what it raises."""

    def __init__(self, loom: LocalLoom, **faults: Exception) -> None:
        self._loom = loom
        self.faults = faults
        self.said: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, verb: str) -> Any:
        def say(*arguments: Any, **more: Any) -> Any:
            self.said.append((verb, arguments))
            if verb in self.faults:
                raise self.faults[verb]
            return getattr(self._loom, verb)(*arguments, **more)

        return say


class Heard:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.failures: list[Any] = []
        self.notes: list[str] = []
        self.lost: OSError | None = None

    def begin(self, pipelines, *, dry_run) -> None: ...
    def status(self, status) -> None: ...
    def failure(self, failure) -> None:
        self.failures.append(failure)

    def events(self, events) -> None: ...
    def note(self, text, facts=None) -> None:
        self.notes.append(text)

    def broken(self, summary) -> None: ...
    def summary(self, summary) -> None: ...
    def error(self, code, message, exit_code) -> None: ...
    def close(self) -> None: ...


@dataclass
class Story:
    """An ingest, what it told and how it ended."""

    ingest: Ingest
    heard: Heard
    published: list[tuple[RunHead, Event]] = field(default_factory=list)
    ended: Ended | None = None

    def in_background(self) -> threading.Thread:
        """Begins it."""

        def run() -> None:
            self.ended = self.ingest.run()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    @property
    def summary(self) -> dict[str, Any]:
        assert self.ended is not None
        return self.ended.summary

    @property
    def assets(self) -> dict[str, int]:
        return {name: count for name, count in self.summary["assets"].items() if count}

    def nodes(self, name: str) -> dict[str, int]:
        return {state: count for state, count in self.summary["nodes"][name].items() if count}

    def run_events(self, pipeline: str) -> list[str]:
        return [e.status for head, e in self.published if isinstance(e, RunEvent) and head.pipeline == pipeline]

    def asset_events(self) -> list[str]:
        return [event.status for _, event in self.published if isinstance(event, AssetEvent)]

    def check_node_events(self) -> None:
        """For each run, asset and node: STARTED then COMPLETED or FAILED, or one SKIPPED."""
        told: dict[Any, list[str]] = defaultdict(list)
        for head, event in self.published:
            if isinstance(event, NodeEvent):
                told[head.uuid, event.asset, event.node].append(event.status)
        allowed = (["STARTED", "COMPLETED"], ["STARTED", "FAILED"], ["SKIPPED"])
        assert told
        assert {key: statuses for key, statuses in told.items() if statuses not in allowed} == {}


def definition(name: str, *chain: dict[str, Any], source: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A pipeline whose nodes stand one after the other; `source` are the options of its source."""
    nodes = [{"id": "files", "operator": "source.filesystem", "config": source or {}}, *chain]
    edges = [{"from": {"node": a["id"]}, "to": {"node": b["id"]}} for a, b in itertools.pairwise(nodes)]
    return {"schema_version": 1, "name": name, **more, "graph": {"nodes": nodes, "edges": edges}}


SHA256 = {"id": "sha256", "operator": "hash.sha256"}
MD5 = {"id": "md5", "operator": "hash.md5"}
THUMBNAIL = {"id": "thumbnail", "operator": "media.thumbnail", "config": {"size": 64}}
COLLECT = {"id": "collect", "operator": "sink.collect", "config": {"collection": "all"}}
STORED = {"id": "stored", "operator": "sink.loom"}


def prepare(
    loom: Any,
    folder: Path,
    *definitions: dict[str, Any],
    matched: bool = False,
    dry_run: bool = False,
    recompute: Sequence[str] = (),
    cache: Cache | None = None,
    jobs: int = 1,
    files: Any = None,
    concurrency: Mapping[str, int] | None = None,
    limits: Limits = Limits(),
    scratch: Path | None = None,
) -> Story:
    """An ingest of all below a folder that has not begun."""
    scheme = make_scheme([Chosen(one, 0, matched) for one in definitions], load(), dry_run=dry_run)
    order = Order(
        lanes=scheme.lanes, versions=scheme.versions, definitions=scheme.definitions, settles=scheme.settles,
        paths=(bytes(folder),), host=HOST, worker=Worker(name="worker"), jobs=jobs, limits=limits,
        dry_run=dry_run, recompute=frozenset(recompute), concurrency=concurrency or {},
        scratch=None if scratch is None else str(scratch),
    )  # fmt: skip
    if files is None:
        files = make_files(Request(paths=(folder,), recompute=order.recompute), scheme, loom, HOST, dry_run=dry_run)
    published: list[tuple[RunHead, Event]] = []
    heard = Heard()
    lock = threading.Lock()

    def publish(head: RunHead, events: Sequence[Event]) -> None:
        with lock:
            published.extend((head, event) for event in events)

    return Story(Ingest(order, files, loom, cache, load(), heard, publish), heard, published)


def carry_out(loom: Any, folder: Path, *definitions: dict[str, Any], **more: Any) -> Story:
    """Runs it to its end."""
    story = prepare(loom, folder, *definitions, **more)
    story.ended = story.ingest.run()
    return story
