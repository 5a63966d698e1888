"""`cortex shm`: process pipelines over shared memory."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cortex.cli.options import JSON, LOOM, QUIET
from loom.ending import in_utf8, say
from loom.errors import LoomError

if TYPE_CHECKING:
    from cortex.shm import Pipeline
    from loom.processes import ProcessPipeline

_LOOK_S = 0.2

WHICH = Annotated[
    str | None, typer.Argument(metavar="FILE|NAME", help="A pipeline by name, or by the file that it was started from.")
]
ALLOW = Annotated[
    list[str] | None, typer.Option(metavar="MODULE", help="Functions may come only from this module and those below.")
]
APP_DIR = Annotated[Path, typer.Option(metavar="DIR", help="Where the modules of the functions are looked for first.")]
EVERY = Annotated[float, typer.Option(min=0.1, max=3600, metavar="SECONDS", help="Between two looks.")]
ONCE = Annotated[bool, typer.Option("--once", help="Look once and end.")]


def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A pipeline as `Pipeline.save` writes it (TOML).")],
    allow: ALLOW = None,
    app_dir: APP_DIR = Path(),
    loom: LOOM = None,
    json: JSON = False,
    quiet: QUIET = False,
) -> int:
    """Run a pipeline from a file until its tasks are done, and show what it does. A Loom that serves is told of it."""
    from cortex.shm import TaskError

    sys.path.insert(0, str(app_dir.absolute()))
    with ExitStack() as stack:
        pipeline = stack.enter_context(_load(file, allow))
        _tell_loom(stack, pipeline, loom)
        try:
            _start(pipeline)
            _watch(pipeline, shows=not (json or quiet) and sys.stderr.isatty())
            code = 0
        except TaskError as error:
            say(f"error: {error}")
            code = 1
        except KeyboardInterrupt:
            say("stopping the tasks")
            pipeline.stop()
            code = 130
        account = _account_when_over(pipeline)
    _tell([account], json=json, quiet=quiet)
    return code


def top(which: WHICH = None, every: EVERY = 1.0, once: ONCE = False, json: JSON = False) -> int:
    """Show the tasks and the pressure in the rings of process pipelines that run on this machine."""
    from rich.console import Console
    from rich.live import Live

    from cortex.report.processes import Rates, picture

    name = _name_of(which)
    rates = Rates()
    if json:
        _tell(_running(name), json=True, quiet=False)
        return 0
    if once or not sys.stdout.isatty():
        rates.look(_running(name), time.monotonic())
        time.sleep(min(every, 1.0))
        Console(highlight=False).print(picture(found := _running(name), rates.look(found, time.monotonic())))
        return 0
    try:
        with Live(console=Console(highlight=False), screen=True, auto_refresh=False) as live:
            while found := _running(name):
                live.update(picture(found, rates.look(found, time.monotonic())), refresh=True)
                time.sleep(every)
    except KeyboardInterrupt:
        return 0
    except LoomError:
        say("the pipeline has ended")
    return 0


def _load(file: Path, allow: list[str] | None) -> Pipeline:
    from cortex.shm import Pipeline

    try:
        return Pipeline.reconstruct(file, allow=allow)
    except OSError as error:
        raise LoomError("USAGE", f"{file} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise LoomError("DEFINITION_INVALID", f"{file}: {error}") from error


def _start(pipeline: Pipeline) -> None:
    from cortex.shm import ShmError

    try:
        pipeline.start()
    except ValueError as error:
        raise LoomError("DEFINITION_INVALID", str(error)) from error
    except ShmError as error:
        raise LoomError("MEMORY_EXCEEDED", str(error)) from error


def _watch(pipeline: Pipeline, *, shows: bool) -> None:
    """Until all tasks have ended. Raises as `Pipeline.join`."""
    pipeline.ends_by_itself()
    if not shows:
        pipeline.join()
        return
    from rich.console import Console
    from rich.live import Live

    from cortex.report.processes import Rates, picture

    rates = Rates()
    with Live(console=Console(stderr=True, highlight=False), transient=True, auto_refresh=False) as live:
        while (account := pipeline.account()).state == "RUNNING":
            live.update(picture([account], rates.look([account], time.monotonic())), refresh=True)
            pipeline.join(_LOOK_S)
    pipeline.join()


def _account_when_over(pipeline: Pipeline) -> ProcessPipeline:
    from cortex.shm import TaskError

    with suppress(TaskError):
        pipeline.join()
    return pipeline.account()


def _tell_loom(stack: ExitStack, pipeline: Pipeline, url: str | None) -> None:
    from cortex.holding import serving_loom

    if (loom := stack.enter_context(serving_loom(url))) is not None:
        stack.callback(pipeline.close)
        pipeline.report_to(loom)


def _name_of(which: str | None) -> str | None:
    """Of a file, the name of the pipeline in it."""
    if which is None or not Path(which).is_file():
        return which
    return _load(Path(which), None).name


def _running(name: str | None) -> list[ProcessPipeline]:
    from cortex.shm.window import running_pipelines

    found = [pipeline for pipeline in running_pipelines() if name in (None, pipeline.name, str(pipeline.run))]
    if not found:
        raise LoomError("NOT_FOUND", "No process pipeline runs" + (f" by the name of {name!r}." if name else "."))
    return found


def _tell(pipelines: list[ProcessPipeline], *, json: bool, quiet: bool) -> None:
    if json:
        import msgspec

        out = in_utf8(sys.stdout)
        for pipeline in pipelines:
            out.write(msgspec.json.encode(pipeline).decode() + "\n")
    elif not quiet:
        from rich.console import Console

        from cortex.report.processes import picture

        Console(highlight=False).print(picture(pipelines, {}))
