"""An ingest that runs, from the first look at its files to its end or an interrupt."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cortex.catalogue import load
from cortex.engine.beside import at_once
from cortex.engine.cache import WRITING, make_cache
from cortex.engine.costs import Amount, kind_of
from cortex.engine.ingest import Ended, Ingest
from cortex.engine.ingest_order import Claim, Order
from cortex.engine.intentions import DOING
from cortex.engine.limits import Limits
from cortex.engine.scheme import Scheme
from cortex.ingesting.files import make_files, roots_of
from cortex.ingesting.interrupting import Interruption, stop_signals
from cortex.ingesting.recomputing import foretelling
from cortex.ingesting.stored import at_their_places
from cortex.machine import this_worker
from cortex.operators.sources.local import FilesystemSource
from cortex.request import Request
from cortex.settings import CortexSettings
from cortex.sources.remote.files import RemoteFiles
from cortex.sources.scan import absolute
from loom.errors import LoomError
from loom.events import Event, RunHead
from loom.settings import LoomSettings

if TYPE_CHECKING:
    from cortex.engine.headstart import HeadStart
    from cortex.engine.intake import Intake
    from cortex.engine.telling import Reporter
    from cortex.sources.found import Found
    from cortex.sources.remote.scan import RemoteScan
    from cortex.sources.scan import Scan
    from loom.verbs import Loom


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
    """Runs the ingest, of `competing` pipelines; Ctrl-C and SIGTERM end it in order, the second time at once. Raises
    `USAGE` for a node to be computed again that no pipeline has."""
    unknown = request.recompute - {"*"} - {step.node for lane in scheme.lanes for step in lane.plan.steps}
    if unknown:
        raise LoomError("USAGE", f"there is no node {min(unknown)!r} to compute again")
    host = platform.node()
    dry_run = all(lane.plan.dry_run for lane in scheme.lanes)
    _count_as_gone(request, loom, host, reporter, dry_run=dry_run)
    request = at_their_places(request, loom, host, reporter.note, dry_run=dry_run)
    files = make_files(request, scheme, loom, host, dry_run=dry_run)
    listed_once = request.files_from is not None and not Path(request.files_from).is_file()  # a pipe, or stdin
    is_part = request.watched is not None and bool(request.watched.changed)
    countable = scheme.lanes[0].plan.source.operator == FilesystemSource.operator and not (listed_once or is_part)
    claim = Claim(*request.claim) if request.claim is not None else None
    stack = contextlib.ExitStack()
    through = _bringing(stack, files, settings, foretelling(request, scheme, loom, settings.jobs, reporter))
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
        concurrency=settings.limits,
        through=through,
        doing=settings.meta_path / DOING,
        scratch=_scratch(settings, embedded=embedded, dry_run=dry_run),
    )
    cache = make_cache(settings, embedded=embedded)
    ingest = Ingest(order, files, loom, cache, load(), reporter, publish, acknowledged)
    with stack, _signals(ingest, interruption or Interruption()):
        return ingest.run()


def _scratch(settings: CortexSettings, *, embedded: bool, dry_run: bool) -> str:
    """On the disk to which large derived files go in the end."""
    if dry_run:
        return tempfile.gettempdir()
    return str(LoomSettings.load({}).data_dir / "blobs" / ".new" if embedded else settings.meta_path / WRITING)


def _bringing(
    stack: contextlib.ExitStack,
    files: Scan | RemoteScan,
    settings: CortexSettings,
    foretold: Callable[[Iterator[Found]], Iterator[Found]],
) -> Callable[[Iterator[Found], Intake], Iterator[Found]]:
    """What found files go through: what is to be done is foretold, and remote ones are brought here, as long as the
    stack lasts."""
    if not isinstance(files, RemoteFiles):
        return lambda found, _: foretold(found)
    from cortex.engine.fetching import Fetcher

    fetcher = Fetcher(files, settings.scratch_path, settings.scratch_limit, settings.read_limit)
    stack.callback(fetcher.close)
    return lambda found, intake: fetcher.through(foretold(found), intake)


def _counter(request: Request, scheme: Scheme, host: str) -> Callable[[threading.Event], Amount | None]:
    """Counts the source once more, beside the run, for the time that is left."""

    def count(end: threading.Event) -> Amount | None:
        total = Amount()
        for found in make_files(request._replace(watched=None), scheme, None, host, dry_run=True):
            if end.is_set():
                return None
            total.add(kind_of(found.name), found.stat.size)
        return total

    return count


@contextlib.contextmanager
def _signals(ingest: Ingest, interruption: Interruption) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    with stop_signals(interruption, ingest.interrupt):
        if interruption.came:
            ingest.interrupt()
        yield
