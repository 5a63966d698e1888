"""From what the command line asks to an ingest that runs: pipelines, source, cache, reporter, signals."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from cortex.catalogue import load
from cortex.engine.cache import Cache, MetaPathCache, XattrCache
from cortex.engine.ingest import Ended, Files, Ingest, Order
from cortex.engine.limits import Limits
from cortex.engine.scheme import Chosen, Scheme
from cortex.operators.sources import FilesystemSource, LoomSource, ScanWishes
from cortex.request import Request
from cortex.settings import CortexSettings
from cortex.sources.scan import absolute
from loom.errors import LoomError
from loom.graph.definition import read_document
from loom.model import Event, RunHead, Worker
from loom.version import VERSION

if TYPE_CHECKING:
    from cortex.engine.headstart import HeadStart
    from cortex.engine.telling import Reporter
    from loom.verbs import Loom

NEVER_SETTLED = bytes(32)
"""A digest under which no file counts as settled, so that every file is visited."""

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
        stored = loom.pipeline(name)
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


def make_cache(settings: CortexSettings, *, embedded: bool) -> Cache | None:
    """The local cache that the settings ask for; `auto`: none beside the embedded Loom."""
    kind = settings.cache
    if kind == "none" or (kind == "auto" and embedded):
        return None
    meta_path = MetaPathCache(settings.meta_path)
    return XattrCache(meta_path) if kind == "xattr" else meta_path


def make_files(request: Request, scheme: Scheme, loom: Loom | None, host: str, *, dry_run: bool) -> Files:
    """The source of the files: the pipeline's own, or with several pipelines that of the best."""
    source = scheme.lanes[0].plan.source
    node = load().create(source.operator, source.config, source.node)
    if not isinstance(node, FilesystemSource | LoomSource):
        raise LoomError("DEFINITION_INVALID", f"{source.operator} is not a source of files")
    if isinstance(node, FilesystemSource) and not (request.paths or request.files_from or request.places):
        raise LoomError("USAGE", "say which files or folders to ingest: cortex ingest PATH...")
    return node.open_scan(
        roots_of(request),
        loom=loom,
        host=host,
        plan=NEVER_SETTLED if request.recompute else scheme.settles,
        listed=listed(request),
        wishes=wishes(request, dry_run=dry_run),
    )


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
        dry_run=dry_run,
    )


def this_worker() -> Worker:
    """This machine, and the versions of what decides results."""
    versions = {"cortex": VERSION, "python": platform.python_version()}
    for package in ("pillow", "av"):
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    return Worker(name=platform.node(), versions=versions)


def roots_of(request: Request) -> list[bytes]:
    return [os.fsencode(path) for path in request.paths]


def listed(request: Request) -> Sequence[bytes] | Iterator[bytes]:
    """The paths of `--files-from`, and files that are to be visited in any case. Raises `USAGE` for a list that cannot
    be read."""
    if request.files_from is None:
        return request.places
    if request.files_from == "-":
        # not `sys.stdin`: the interpreter could not end while a thread waits for input there
        return _paths_in(open(0, "rb", closefd=False))
    try:
        return _paths_in(open(request.files_from, "rb"))
    except OSError as error:
        raise LoomError("USAGE", f"{request.files_from} cannot be read: {error.strerror}") from error


def _paths_in(file: BinaryIO) -> Iterator[bytes]:
    from cortex.sources.listed import read_list

    with file:
        yield from read_list(file)


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
) -> Ended:
    """Runs the ingest; Ctrl-C and SIGTERM end it in order, the second time at once. Raises `USAGE` for a node to be
    computed again that no pipeline has."""
    unknown = request.recompute - {"*"} - {step.node for lane in scheme.lanes for step in lane.plan.steps}
    if unknown:
        raise LoomError("USAGE", f"there is no node {min(unknown)!r} to compute again")
    host = platform.node()
    dry_run = all(lane.plan.dry_run for lane in scheme.lanes)
    files = make_files(request, scheme, loom, host, dry_run=dry_run)
    countable = scheme.lanes[0].plan.source.operator == FilesystemSource.operator and request.files_from != "-"
    order = Order(
        lanes=scheme.lanes,
        versions=scheme.versions,
        definitions=scheme.definitions,
        settles=scheme.settles,
        paths=tuple(map(absolute, roots_of(request))),
        host=host,
        worker=this_worker(),
        jobs=settings.jobs,
        limits=Limits(memory=settings.memory_limit, base_s=settings.timeout_s),
        dry_run=dry_run,
        recompute=request.recompute,
        total=_counter(request, scheme, host) if countable else None,
        head_start=head_start,
    )
    ingest = Ingest(order, files, loom, make_cache(settings, embedded=embedded), load(), reporter, publish)
    with _signals(ingest):
        return ingest.run()


def _counter(request: Request, scheme: Scheme, host: str) -> Callable[[threading.Event], tuple[int, int] | None]:
    """Counts the source once more, beside the run, for the time that is left."""

    def count(end: threading.Event) -> tuple[int, int] | None:
        node = FilesystemSource(**scheme.lanes[0].plan.source.config)
        scan = node.open_scan(
            roots_of(request),
            loom=None,
            host=host,
            plan=b"",
            listed=listed(request),
            wishes=wishes(request, dry_run=True),
        )
        for _ in scan:
            if end.is_set():
                return None
        return scan.seen, scan.bytes

    return count


@contextlib.contextmanager
def _signals(ingest: Ingest) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {
        number: signal.signal(number, lambda *_: ingest.interrupt()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
