"""From what the command line asks to an ingest that runs: pipelines, source, cache, reporter, signals."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cortex.catalogue import load
from cortex.engine.beside import at_once
from cortex.engine.cache import make_cache
from cortex.engine.ingest import Ended, Ingest
from cortex.engine.ingest_order import Claim, Order
from cortex.engine.limits import Limits
from cortex.engine.records import Lane
from cortex.engine.scheme import Chosen, Scheme, narrowed
from cortex.machine import this_worker
from cortex.operators.sources import FileSource, FilesystemSource, LoomSource, ScanWishes
from cortex.request import Request
from cortex.settings import CortexSettings
from cortex.sources.lanes import LaneOptions
from cortex.sources.scan import Scan, absolute
from loom.errors import LoomError
from loom.events import Event, RunHead
from loom.graph.definition import read_document
from loom.settings import LoomSettings

if TYPE_CHECKING:
    from cortex.engine.headstart import HeadStart
    from cortex.engine.telling import Reporter
    from loom.verbs import Loom

FILES = frozenset({".yaml", ".yml", ".json", ".toml"})


def make_reporter(request: Request) -> Reporter:
    """JSON lines, a live display on a terminal, or plain lines."""
    if request.json:
        from cortex.report.lines import LineReporter

        return LineReporter()
    if sys.stderr.isatty() and not request.quiet:
        from cortex.report.display import TerminalReporter

        return TerminalReporter()
    from cortex.report.plain import PlainReporter

    return PlainReporter(quiet=request.quiet)


def choose(request: Request, loom: Loom | None, default: Callable[[], dict[str, Any]] | None) -> list[Chosen]:
    """The definitions to use; `default` gives one where none was ever stored. Raises `NOT_FOUND`, `PIPELINE_DISABLED`,
    `DEFINITION_INVALID`."""
    name = request.pipeline
    if name is not None and Path(name).suffix in FILES:
        return [_enabled(Chosen(read_document(Path(name)), 0, matched=False))]
    if default is not None and (definition := default())["name"] == (name or definition["name"]):
        return [Chosen(definition, 0, matched=False)]
    if loom is None:
        raise LoomError("USAGE", "without Loom there are no stored pipelines: give --pipeline a file")
    if name is not None:
        stored = loom.pipeline(name, request.version)
        return [_enabled(Chosen(stored.definition, stored.version, matched=False))]
    pipelines = [p for p in _all_pipelines(loom) if p.enabled]
    if not pipelines:
        raise LoomError("NOT_FOUND", "no pipeline is stored and enabled; `cortex pipeline push FILE` stores one")
    ranked = sorted(pipelines, key=lambda p: (-p.priority, p.name))
    return [Chosen(p.definition, p.version, matched=True) for p in ranked]


def _all_pipelines(loom: Loom) -> Iterator[Any]:
    page = loom.pipelines()
    yield from page.items
    while page.next is not None:
        page = loom.pipelines(cursor=page.next)
        yield from page.items


def _enabled(chosen: Chosen) -> Chosen:
    if chosen.definition.get("enabled", True) is False:
        raise LoomError("PIPELINE_DISABLED", f"the pipeline {chosen.definition.get('name')!r} is disabled")
    return chosen


def competing(scheme: Scheme, note: Callable[[str], None]) -> Scheme:
    """The pipelines that take their files from the paths that are given, or, where none does, from the same place as
    the best one. Others that competed with them are left out, each with a `note`."""
    sources = [lane.plan.source for lane in scheme.lanes]
    leading = next((one for one in sources if one.operator == FilesystemSource.operator), sources[0])
    kept: list[int] = []
    for index, source in enumerate(sources):
        same = source.operator == leading.operator
        if same and (source.operator != LoomSource.operator or source.config == leading.config):
            kept.append(index)
            continue
        name = scheme.lanes[index].plan.pipeline
        note(f"The pipeline {name!r} takes its files from another place and is left out; use it with --pipeline {name}")
    return scheme if len(kept) == len(sources) else narrowed(scheme, kept)


def make_files(request: Request, scheme: Scheme, loom: Loom | None, host: str, *, dry_run: bool) -> Scan:
    """The files that are in the sources of the pipelines. Each pipeline may have those that its own source and the
    paths of its `match` let pass, and each of its nodes those of them that the paths of its `filter` do. The pipelines
    are `competing` ones. Raises `USAGE` where paths are wanted and none is given."""
    sources = [_source_of(lane) for lane in scheme.lanes]
    if isinstance(sources[0], FilesystemSource) and not (request.paths or request.files_from or request.places):
        raise LoomError("USAGE", "say which files or folders to ingest: cortex ingest PATH...")
    wished = wishes(request, dry_run=dry_run)
    lanes = [
        LaneOptions(source.scan_options(wished), lane.match.path, _node_paths(lane))
        for source, lane in zip(sources, scheme.lanes, strict=True)
    ]
    differ = len(set(lanes)) > 1 or lanes[0].paths or lanes[0].node_paths
    return sources[0].open_scan(
        roots_of(request),
        loom=loom,
        host=host,
        plan=scheme.settles,
        listed=listed(request),
        wishes=wished,
        lanes=lanes if differ else (),
    )


def _node_paths(lane: Lane) -> tuple[tuple[str, ...], ...]:
    filters = (step.filter for step in lane.plan.steps)
    return tuple(one.path for one in filters if one is not None and one.path)


def _source_of(lane: Lane) -> FileSource[Any]:
    source = lane.plan.source
    node = load().create(source.operator, source.config, source.node)
    if not isinstance(node, FileSource):
        raise LoomError("DEFINITION_INVALID", f"{source.operator} is not a source of files")
    return node


def wishes(request: Request, *, dry_run: bool) -> ScanWishes:
    """The options of the command line as wishes for a scan."""
    exclude = list(request.exclude)
    if request.exclude_file is not None:
        try:
            exclude.extend(request.exclude_file.read_text(encoding="utf-8").splitlines())
        except OSError as error:
            raise LoomError("USAGE", f"{request.exclude_file} cannot be read: {error.strerror}") from error
    return ScanWishes(
        include=request.include,
        exclude=tuple(exclude),
        hidden=request.hidden,
        limit=request.limit,
        rehash=request.rehash,
        visit_all=bool(request.recompute),
        dry_run=dry_run,
        watched=request.watched,
    )


def roots_of(request: Request) -> list[bytes]:
    return [os.fsencode(path) for path in request.paths]


def listed(request: Request) -> Sequence[bytes] | Iterator[bytes]:
    """The paths of `--files-from`, and files that are to be visited in any case. Raises `USAGE` for a list that cannot
    be read."""
    if request.files_from is None:
        return request.places
    from cortex.sources.listed import open_list

    return open_list(request.files_from)


def _count_as_gone(request: Request, loom: Loom | None, host: str, reporter: Reporter, *, dry_run: bool) -> None:
    """Says how many files they are. Raises `USAGE` without a Loom that could be told."""
    if not request.gone:
        return
    from cortex.engine.telling import shown
    from cortex.sources.gone import count_as_gone

    if loom is None:
        raise LoomError("USAGE", "--gone is told to Loom: leave out --offline")
    for path in map(absolute, map(os.fsencode, request.gone)):
        number = count_as_gone(loom, host, path, dry_run=dry_run)
        would = "would count" if dry_run else "count"
        reporter.note(f"Below {shown(path)} files {would} as deleted, since they are not there: {number:,}")


@dataclass
class Interruption:
    """Whether Ctrl-C or SIGTERM came while an ingest ran, and how often; it stays true for what happens after it."""

    came: bool = False
    times: int = 0


def execute(
    request: Request,
    settings: CortexSettings,
    scheme: Scheme,
    loom: Loom | None,
    *,
    embedded: bool,
    reporter: Reporter,
    publish: Callable[[RunHead, Sequence[Event]], None],
    head_start: HeadStart | None = None,
    acknowledged: Callable[[], bool] = at_once,
    interruption: Interruption | None = None,
) -> Ended:
    """Runs the ingest; Ctrl-C and SIGTERM end it in order, the second time at once. Raises `USAGE` for a node to be
    computed again that no pipeline has."""
    scheme = competing(scheme, reporter.note)
    unknown = request.recompute - {"*"} - {step.node for lane in scheme.lanes for step in lane.plan.steps}
    if unknown:
        raise LoomError("USAGE", f"there is no node {min(unknown)!r} to compute again")
    host = platform.node()
    dry_run = all(lane.plan.dry_run for lane in scheme.lanes)
    _count_as_gone(request, loom, host, reporter, dry_run=dry_run)
    files = make_files(request, scheme, loom, host, dry_run=dry_run)
    listed_once = request.files_from is not None and not Path(request.files_from).is_file()  # a pipe, or stdin
    is_part = request.watched is not None and bool(request.watched.changed)
    countable = scheme.lanes[0].plan.source.operator == FilesystemSource.operator and not (listed_once or is_part)
    claim = Claim(*request.claim) if request.claim is not None else None
    order = Order(
        lanes=scheme.lanes,
        versions=scheme.versions,
        definitions=scheme.definitions,
        settles=scheme.settles,
        paths=tuple(map(absolute, roots_of(request))),
        host=host,
        worker=this_worker(claim.worker if claim is not None else None),
        jobs=settings.jobs,
        limits=Limits(memory=settings.memory_limit, base_s=settings.timeout_s, niceness=settings.niceness),
        dry_run=dry_run,
        recompute=request.recompute,
        total=_counter(request, scheme, host) if countable else None,
        head_start=head_start,
        claim=claim,
        opens_late=request.watched is not None,
        steer=request.watched.steer if request.watched is not None else None,
        disk_reserve=(LoomSettings.load({}).data_dir if embedded else settings.meta_path, settings.disk_reserve),
        read_limit=settings.read_limit,
    )
    cache = make_cache(settings, embedded=embedded)
    ingest = Ingest(order, files, loom, cache, load(), reporter, publish, acknowledged)
    with _signals(ingest, interruption or Interruption()):
        return ingest.run()


def _counter(request: Request, scheme: Scheme, host: str) -> Callable[[threading.Event], tuple[int, int] | None]:
    """Counts the source once more, beside the run, for the time that is left."""

    def count(end: threading.Event) -> tuple[int, int] | None:
        scan = make_files(request._replace(watched=None), scheme, None, host, dry_run=True)
        for _ in scan:
            if end.is_set():
                return None
        return scan.seen, scan.bytes

    return count


@contextlib.contextmanager
def _signals(ingest: Ingest, interruption: Interruption) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        interruption.came = True
        interruption.times += 1
        ingest.interrupt()

    former = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    if interruption.came:
        ingest.interrupt()
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
