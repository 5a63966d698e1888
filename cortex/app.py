"""The composition root: puts Loom, the sources and the engine together for the command line.

With `cortex.holding` the only module of `cortex` that knows more of `loom` than its verbs.
"""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from cortex.holding import Opened, linger, open_loom, serve, stand_by
from cortex.settings import CortexSettings
from loom.ending import INTERRUPTED, first_that_applies, no_room, say
from loom.errors import LoomError
from loom.settings import LoomSettings

if TYPE_CHECKING:
    from cortex.engine.headstart import HeadStart
    from cortex.engine.ingest import Ended
    from cortex.engine.patience import Patient
    from cortex.engine.scheme import Chosen, Scheme
    from cortex.engine.telling import Reporter
    from cortex.ingesting import Interruption
    from cortex.request import Request
    from loom.bus.hub import Hub
    from loom.events import Event, RunHead
    from loom.graph.diagnostics import DefinitionError, Diagnostic
    from loom.verbs import Loom

FLUSH_GRACE_S = 20.0
"""How long an ingest waits for a Loom that went away: a node that must have it, and the end."""


def ingest_paths(request: Request, reporter: Reporter | None = None, interruption: Interruption | None = None) -> int:
    """`cortex ingest`: everything from opening Loom to the summary; returns the exit code. `interruption` learns
    whether it was interrupted."""
    try:
        with contextlib.ExitStack() as stack:
            head_start = _head_start(stack, request)
            from cortex.ingesting import Interruption, make_reporter

            reporter = reporter or make_reporter(request)
            stack.callback(reporter.close)
            return _report_errors(request, reporter, head_start, interruption or Interruption())
    except LoomError as error:  # about the settings
        from cortex.ingesting import make_reporter

        _report(reporter or make_reporter(request), error, error.exit_code)
        return error.exit_code
    except KeyboardInterrupt:  # before the files are begun with, or after the last
        say(request.interrupted(dry_run=request.dry_run))
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


def _report_errors(
    request: Request, reporter: Reporter, head_start: HeadStart | None, interruption: Interruption
) -> int:
    """Of an error after an interrupt is told as well, but the interrupt came first."""
    try:
        return _ingest(request, reporter, head_start, interruption)
    except Exception as error:
        told = no_room(error) if isinstance(error, OSError) else error
        if not isinstance(told, LoomError):
            if not interruption.came:
                raise
            told = LoomError("INTERNAL", f"{type(error).__name__}: {error}")
        code = INTERRUPTED if interruption.came else told.exit_code
        _report(reporter, told, code)
        if interruption.came:
            reporter.note(request.interrupted(dry_run=request.dry_run))
        elif told.code == "DISK_FULL" and request.claim is None and reporter.lost is None:
            reporter.note(f"What was done is kept; once there is room, go on with: {request.command()}")
        return code


def _report(reporter: Reporter, error: LoomError, code: int) -> None:
    from loom.graph.diagnostics import DefinitionError

    if isinstance(error, DefinitionError):
        reporter.note("\n".join(map(diagnostic_line, error.diagnostics)))
    reporter.error(error.code, error.message, code)


def scheme_of(chosen: Sequence[Chosen], *, dry_run: bool, note: Callable[[str], None]) -> Scheme:
    """The chosen pipelines, compiled; of several, those that cannot be used together are left out with a `note`. Raises
    `DefinitionError` when none can be used."""
    from cortex.catalogue import load
    from cortex.engine.scheme import make_scheme
    from cortex.ingesting import competing

    left_out = partial(_say_left_out, note) if len(chosen) > 1 else None
    return competing(make_scheme(chosen, load(), dry_run=dry_run, left_out=left_out), note)


def _say_left_out(note: Callable[[str], None], name: str, error: DefinitionError) -> None:
    """A stored pipeline that cannot be used here keeps no other from being used."""
    from loom.graph.diagnostics import errors

    first = diagnostic_line(errors(error.diagnostics)[0])
    note(f"The pipeline {name!r} cannot be used here and is left out: {first}")


def diagnostic_line(found: Diagnostic) -> str:
    """What is wrong with a definition, and where, in one line."""
    places = {"node ": found.node, "edge ": found.edge, "": found.field}
    where = ", ".join(f"{kind}{place}" for kind, place in places.items() if place is not None)
    return f"{found.level} {found.code}{f' ({where})' if where else ''}: {found.message}"


def _ingest(request: Request, reporter: Reporter, head_start: HeadStart | None, interruption: Interruption) -> int:
    """Opens Loom, and holds it until others have no need of it either."""
    from cortex.ingesting import parts_of

    check(request)
    with contextlib.ExitStack() as stack:
        if request.offline:
            return ingest_with(None, request, reporter, head_start, interruption)
        opened = stack.enter_context(open_loom(request.loom_url, trace=not request.dry_run))
        standby = None
        if request.serve:
            address = serve(stack, opened, host=request.host, port=request.port)
            reporter.note(f"Loom is served at http://{address}")
        else:
            standby = stand_by(stack, opened)
        code = 0
        for part in parts_of(request, opened.loom, platform.node(), reporter.note):
            code = first_that_applies(code, ingest_with(opened, part, reporter, head_start, interruption))
            head_start = None
            if code == INTERRUPTED:
                break
        if code != INTERRUPTED:
            linger(standby, reporter.note)
        return code


def check(request: Request) -> None:
    """Raises `USAGE` for options that contradict each other."""
    if request.offline and (request.loom_url is not None or request.serve):
        raise LoomError("USAGE", f"--offline is without any Loom: leave out --{'serve' if request.serve else 'loom'}")
    if request.offline and request.sources:
        raise LoomError("USAGE", "--offline is without any Loom, which knows the sources: leave out --source")
    if request.events and not request.json:
        raise LoomError("USAGE", "--events are JSON lines: say --json too")


def ingest_with(
    opened: Opened | None,
    request: Request,
    reporter: Reporter,
    head_start: HeadStart | None,
    interruption: Interruption,
) -> int:
    """One ingest, from the choice of pipelines to the summary; returns the exit code. Raises what kept it from being
    done."""
    from cortex.engine.beside import at_once
    from cortex.ingesting import choose, execute

    settings = CortexSettings.load({"jobs": request.jobs, "loom_url": request.loom_url})
    with contextlib.ExitStack() as stack:
        loom = opened.loom if opened is not None else None
        chosen = choose(request, loom, default_for(opened))
        scheme = scheme_of(chosen, dry_run=request.dry_run, note=reporter.note)
        hub = _listen(stack, request, reporter, opened)
        patient = _patient(stack, request, settings, opened, reporter)
        told = cast("Loom", patient) if patient is not None else loom

        def publish(head: RunHead, events: Sequence[Event]) -> None:
            hub.publish(head, events)
            if patient is not None and not head.dry_run:
                patient.publish(head, events)
            elif request.claim is not None and loom is not None:
                _tell_of_dry_run(loom, head, events)

        if loom is not None and not request.dry_run:
            _end_interrupted(loom, settings, reporter)
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
            acknowledged=patient.acknowledged if patient is not None else at_once,
            interruption=interruption,
        )
        if patient is not None:
            patient.wait_and_flush()
    reporter.summary(ended.summary)
    if reporter.lost is not None and ended.exit_code != INTERRUPTED:
        raise reporter.lost
    _say_what_next(request, ended, reporter, cancelled=not interruption.came)
    return ended.exit_code


def _end_interrupted(loom: Loom, settings: CortexSettings, reporter: Reporter) -> None:
    """What was about to be done to files when a process was killed was done, or it was not: that is found out. Where
    somebody is at it already, or Loom is away, it is left for another time."""
    with contextlib.suppress(LoomError):
        if not loom.actions(host=platform.node(), state="BEGUN", limit=1).items:
            return
        from cortex.actions.alone import acting_alone
        from cortex.actions.resolving import resolve_all_dead

        with acting_alone(settings.meta_path):
            if number := resolve_all_dead(loom, platform.node(), settings.meta_path):
                reporter.note(f"An earlier run was killed at work on files: what became of {number:,} was found out")


def _tell_of_dry_run(loom: Loom, head: RunHead, events: Sequence[Event]) -> None:
    """Who asked for it sees what would happen. How the run begins and ends is told by Loom itself, and what it cannot
    be told now is left out: a dry run leaves nothing behind that could wait."""
    from loom.events import RunEvent

    with contextlib.suppress(LoomError):
        loom.publish(head, [event for event in events if not isinstance(event, RunEvent)])


def _patient(
    stack: contextlib.ExitStack, request: Request, settings: CortexSettings, opened: Opened | None, reporter: Reporter
) -> Patient | None:
    """With a server: what it cannot be told waits on this machine, also what former processes left behind."""
    if opened is None or opened.url is None:
        return None
    from cortex.engine.patience import patience_with, room_for

    announce(opened.loom, request.claim[1] if request.claim is not None else None)
    room = room_for(settings.meta_path, opened.spooled_as)
    return stack.enter_context(patience_with(opened.loom, room, settings.spool_limit, reporter.note, FLUSH_GRACE_S))


def announce(loom: Loom, name: str | None = None) -> None:
    """Tells a server which operators there are here, so that it can check definitions and describe results; under the
    name of this machine, or of one worker on it."""
    from cortex.catalogue import load
    from cortex.engine import seccomp
    from cortex.machine import resources, this_worker

    catalogue = load()
    specs = [spec for operator in catalogue.ids() if (spec := catalogue.spec(operator)) is not None]
    offered = resources(disk_reserve=CortexSettings.load({}).disk_reserve, is_confined=seccomp.is_supported())
    loom.announce(this_worker(name), platform.node(), specs, offered)


def _listen(stack: contextlib.ExitStack, request: Request, reporter: Reporter, opened: Opened | None) -> Hub:
    """The bus of this process; with `--events` every event of it is reported."""
    from loom.bus.hub import Hub

    hub = opened.hub if opened is not None else Hub()
    if request.json and request.events:
        from cortex.report.events import EventTap

        stack.enter_context(EventTap(hub.subscribe(), reporter))
    return hub


def default_for(opened: Opened | None) -> Callable[[], dict[str, Any]] | None:
    """The definition to use without Loom, or with one that is so new (in a dry run) that it has none."""
    from loom.local import default_definition

    if opened is None or (opened.local is not None and opened.local.loom.never_had_pipelines()):
        return default_definition
    return None


def _has_trouble(summary: dict[str, Any]) -> bool:
    return bool(summary["assets"]["failed"] or summary["assets"]["unreadable"] or summary["unreachable"])


def _say_what_next(request: Request, ended: Ended, reporter: Reporter, *, cancelled: bool) -> None:
    """How to go on from here; a watch goes on by itself. `cancelled`: if it was ended, nobody interrupted it."""
    summary = ended.summary
    if request.watched is not None:
        return
    if ended.exit_code == INTERRUPTED:
        reporter.note(request.interrupted(dry_run=summary["dry_run"], cancelled=cancelled))
    elif _has_trouble(summary) and summary["runs"] and not (request.offline or request.json or request.quiet):
        reporter.note(f"What failed and why: cortex failures --run {summary['run']}")
