"""The composition root: puts Loom, the sources and the engine together for the command line.

The only module of `cortex` that knows more of `loom` than its verbs: it may put an embedded Loom into this process.
"""

from __future__ import annotations

import contextlib
import hashlib
import platform
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast
from uuid import UUID

from cortex.settings import CortexSettings
from loom.errors import LoomError
from loom.settings import LoomSettings

if TYPE_CHECKING:
    from cortex.engine.headstart import HeadStart
    from cortex.engine.patience import Patient
    from cortex.engine.telling import Reporter
    from cortex.request import Request
    from loom.bus.hub import Hub
    from loom.graph.diagnostics import Diagnostic
    from loom.local import Local
    from loom.model import Event, RunHead
    from loom.shapes import AssetShape, Page
    from loom.verbs import Loom, Selection

T = TypeVar("T")

FLUSH_GRACE_S = 20.0
"""How long the end of an ingest waits for a Loom that went away."""


class Opened(NamedTuple):
    """A Loom at hand. `hub` is the bus that can be listened to in this process; `local` is what there is of Loom when
    it lives here, `url` where it is when it does not."""

    loom: Loom
    hub: Hub
    local: Local | None = None
    url: str | None = None


@contextlib.contextmanager
def connect(url: str | None = None, *, write: bool = False) -> Iterator[Loom]:
    """Loom for a command: the server at `url` (or the one that is set), else the embedded one."""
    with open_loom(url, hold=write) as opened:
        yield opened.loom


@contextlib.contextmanager
def open_loom(url: str | None = None, *, hold: bool = True, trace: bool = True) -> Iterator[Opened]:
    """Opens Loom. `hold`: this process will write, so no other may hold the data folder; one that does is talked to
    if it serves. Without `trace` not a byte is written. Raises `DATA_FOLDER_LOCKED`, `LOOM_UNREACHABLE` and what the
    database has to say."""
    settings = CortexSettings.load({"loom_url": url})
    with contextlib.ExitStack() as stack:
        if settings.loom_url is not None:
            yield stack.enter_context(_remote(settings.loom_url, settings.loom_token))
        elif hold and trace:
            yield _held(stack)
        else:
            from loom.local import look_at_loom

            local = stack.enter_context(look_at_loom(LoomSettings.load({}), trace=trace))
            yield Opened(local.loom, local.hub, local)


def _held(stack: contextlib.ExitStack) -> Opened:
    """The embedded Loom, or the one of the process that holds its folder."""
    from loom.local import hold_loom
    from loom.store.datafolder import DataFolderLocked

    try:
        local = stack.enter_context(hold_loom(LoomSettings.load({})))
    except DataFolderLocked as error:
        if error.address is None:
            raise
        try:
            return stack.enter_context(_remote(f"http://{error.address}", None))
        except LoomError:
            raise error from None
    local.loom.end_abandoned_runs(platform.node())
    return Opened(local.loom, local.hub, local)


@contextlib.contextmanager
def _remote(url: str, token: str | None) -> Iterator[Opened]:
    from loom.bus.hub import Hub
    from loom.client import LoomClient

    settings = LoomSettings.load({})
    client = LoomClient(url, token or settings.token, token_file=settings.data_dir / "token")
    try:
        yield Opened(client, Hub(), url=url)
    finally:
        client.close()


def everything(list_page: Callable[..., Page[T]]) -> Iterator[T]:
    """All items of a list that comes in pages."""
    page = list_page()
    yield from page.items
    while page.next is not None:
        page = list_page(cursor=page.next)
        yield from page.items


def find_asset(loom: Loom, what: str) -> AssetShape:
    """The asset of a path, a UUID or a hash in hexadecimal. Raises `NOT_FOUND`."""
    import os

    from cortex.sources.scan import absolute

    with contextlib.suppress(ValueError):
        if len(what) == 36:
            return loom.asset(UUID(what))
    algorithms = {32: ("md5",), 64: ("blake3", "sha256"), 128: ("sha512",)}
    with contextlib.suppress(ValueError):
        digest = bytes.fromhex(what)
        for algorithm in algorithms.get(len(what), ()):
            with contextlib.suppress(LoomError):
                return loom.asset_by_hash(algorithm, digest)
    if not Path(what).exists() and len(what) in algorithms:
        raise LoomError("NOT_FOUND", f"no asset has the hash {what}")
    return loom.asset_by_path(platform.node(), absolute(os.fsencode(what)))


def ingest_paths(request: Request) -> int:
    """`cortex ingest`: everything from opening Loom to the summary; returns the exit code."""
    from loom.ending import INTERRUPTED, say

    try:
        with contextlib.ExitStack() as stack:
            head_start = _head_start(stack, request)
            from cortex.ingesting import make_reporter

            return _report_errors(request, make_reporter(request), head_start)
    except KeyboardInterrupt:  # before the files are begun with, or after the last
        say(request.goes_on_with())
        return INTERRUPTED


def _head_start(stack: contextlib.ExitStack, request: Request) -> HeadStart | None:
    """Where Loom has no database yet, all is new: workers get ready while this process does. Elsewhere there may be
    nothing to do, and they are started once there is."""
    from cortex.engine.headstart import HeadStart

    settings = CortexSettings.load({"jobs": request.jobs, "loom_url": request.loom_url})
    if request.offline or settings.loom_url is not None or (LoomSettings.load({}).data_dir / "loom.db").exists():
        return None
    with contextlib.suppress(OSError):
        return stack.enter_context(HeadStart(settings.jobs, byte_code=not request.dry_run))
    return None


def _report_errors(request: Request, reporter: Reporter, head_start: HeadStart | None) -> int:
    try:
        return _ingest(request, reporter, head_start)
    except LoomError as error:
        from loom.graph.diagnostics import DefinitionError

        if isinstance(error, DefinitionError):
            reporter.note("\n".join(map(diagnostic_line, error.diagnostics)))
        reporter.error(error.code, error.message, error.exit_code)
        return error.exit_code


def diagnostic_line(found: Diagnostic) -> str:
    """What is wrong with a definition, and where, in one line."""
    places = {"node ": found.node, "edge ": found.edge, "": found.field}
    where = ", ".join(f"{kind}{place}" for kind, place in places.items() if place is not None)
    return f"{found.level} {found.code}{f' ({where})' if where else ''}: {found.message}"


def retry_failures(selection: Selection, *, loom_url: str | None, jobs: int | None, json: bool) -> int:
    """Forgets failures and visits their files again with the pipelines that failed on them; returns the exit code."""
    from cortex.request import Request

    with connect(loom_url, write=True) as loom:
        places = [place for place in loom.forget(selection) if place.host == platform.node()]
    code = 0
    for pipeline in sorted({place.pipeline for place in places}):
        paths = tuple(place.path for place in places if place.pipeline == pipeline)
        request = Request(pipeline=pipeline, jobs=jobs, json=json, loom_url=loom_url, places=paths)
        code = max(code, ingest_paths(request))
    return code


def _ingest(request: Request, reporter: Reporter, head_start: HeadStart | None) -> int:
    from cortex.catalogue import load
    from cortex.engine.scheme import make_scheme
    from cortex.ingesting import choose, execute

    settings = CortexSettings.load({"jobs": request.jobs, "loom_url": request.loom_url})
    with contextlib.ExitStack() as stack:
        opened = (
            None if request.offline else stack.enter_context(open_loom(request.loom_url, trace=not request.dry_run))
        )
        loom = opened.loom if opened is not None else None
        scheme = make_scheme(choose(request, loom, _default_for(opened)), load(), dry_run=request.dry_run)
        hub = _listen(stack, request, reporter, opened)
        if request.serve and opened is not None:
            _serve(stack, request, reporter, opened)
        patient = _patient(stack, settings, opened)
        if opened is not None and patient is not None:
            _announce(opened.loom)
        told = cast("Loom", patient) if patient is not None else loom

        def publish(head: RunHead, events: Sequence[Event]) -> None:
            hub.publish(head, events)
            if patient is not None and not head.dry_run:
                patient.publish(head, events)

        embedded = opened is not None and opened.local is not None
        ended = execute(
            request,
            settings,
            scheme,
            told,
            embedded=embedded,
            reporter=reporter,
            publish=publish,
            head_start=head_start,
        )
        if patient is not None:
            patient.wait_and_flush(FLUSH_GRACE_S)
    reporter.summary(ended.summary)
    _say_what_next(request, ended.exit_code, ended.summary, reporter)
    return ended.exit_code


def _patient(stack: contextlib.ExitStack, settings: CortexSettings, opened: Opened | None) -> Patient | None:
    """With a server: what it cannot be told waits on this machine, also what former processes left behind."""
    if opened is None or opened.url is None:
        return None
    from cortex.engine.patience import Patient
    from cortex.engine.spool import left_behind, new_spool

    room = settings.meta_path / "spool" / hashlib.sha256(opened.url.encode()).hexdigest()[:16]
    for spool in left_behind(room, settings.spool_limit):
        stack.callback(spool.close)
        Patient(opened.loom, spool).flush()
    spool = new_spool(room, settings.spool_limit)
    stack.callback(spool.close)
    return Patient(opened.loom, spool)


def _announce(loom: Loom) -> None:
    """Tells a server which operators there are here, so that it can check definitions and describe results."""
    from cortex.catalogue import load
    from cortex.ingesting import this_worker

    catalogue = load()
    specs = [spec for operator in catalogue.ids() if (spec := catalogue.spec(operator)) is not None]
    loom.announce(this_worker(), platform.node(), specs)


def _listen(stack: contextlib.ExitStack, request: Request, reporter: Reporter, opened: Opened | None) -> Hub:
    """The bus of this process; with `--events` every event of it is reported."""
    from loom.bus.hub import Hub

    hub = opened.hub if opened is not None else Hub()
    if request.json and request.events:
        from cortex.report.events import EventTap

        stack.enter_context(EventTap(hub.subscribe(), reporter))
    return hub


def _serve(stack: contextlib.ExitStack, request: Request, reporter: Reporter, opened: Opened) -> None:
    """Serves the embedded Loom while the ingest runs."""
    from loom.serving import serve_in_background

    if opened.local is None:
        raise LoomError("USAGE", "--serve is for the embedded Loom; this one is served already")
    settings = LoomSettings.load({"host": request.host, "port": request.port})
    address = stack.enter_context(serve_in_background(opened.local, settings))
    reporter.note(f"Loom is served at http://{address}")


def _default_for(opened: Opened | None) -> Callable[[], dict[str, Any]] | None:
    """The definition to use without Loom, or with one that is so new (in a dry run) that it has none."""
    from loom.local import default_definition

    if opened is None or (opened.local is not None and opened.local.loom.never_had_pipelines()):
        return default_definition
    return None


def _say_what_next(request: Request, code: int, summary: dict[str, Any], reporter: Reporter) -> None:
    """The command that goes on from here."""
    if code == 130:
        reporter.note(request.goes_on_with())
    elif summary["assets"]["failed"] and summary["run"] is not None and not (request.json or request.quiet):
        reporter.note(f"What failed and why: cortex failures --run {summary['run']}")
