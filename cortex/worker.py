"""`cortex worker`: executes the runs that Loom hands out, one at a time, on the files of this machine."""

from __future__ import annotations

import base64
import contextlib
import os
import platform
import secrets
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cortex.app import announce, ingest_paths
from cortex.holding import connect
from cortex.ingesting import Interruption, stop_signals
from cortex.paging import everything
from cortex.report.plain import PlainReporter
from cortex.request import Request
from loom.ending import say
from loom.errors import LoomError, is_retryable

if TYPE_CHECKING:
    from loom.shapes import AssetShape
    from loom.steering import RunRequest
    from loom.verbs import Loom

IDLE_S = 1.0
"""How often a worker that has nothing to do asks for some."""

AWAY_S = 5.0
"""How long it waits before it asks a Loom again that did not answer."""


class WorkerReporter(PlainReporter):
    """As for a log; remembers the error with which an ingest ended early."""

    def __init__(self) -> None:
        super().__init__()
        self.ended_with: LoomError | None = None

    def error(self, code: str, message: str, exit_code: int) -> None:
        super().error(code, message, exit_code)
        self.ended_with = LoomError(code, message)


def work(*, loom_url: str | None, jobs: int | None, with_parent: bool = False) -> int:
    """Works until Ctrl-C or SIGTERM: a run in hand finishes its nodes and goes back to Loom, which gives it to
    another. `with_parent`: it ends when the process does that started it. Returns the exit code."""
    parent = os.getppid()
    name = f"{platform.node()}-{os.getpid()}-{secrets.token_hex(2)}"
    interruption, stop = Interruption(), threading.Event()
    with stop_signals(interruption, stop.set), connect(loom_url, write=True) as loom:
        announced = False
        say(f"worker {name} waits for runs; Ctrl-C ends it")
        while not stop.is_set() and not (with_parent and os.getppid() != parent):
            try:
                if not announced:
                    announce(loom, name)
                    announced = True
                request = loom.claim_run(name, platform.node())
            except LoomError as error:
                if not is_retryable(error.code):
                    raise
                say(f"{error.code}: {error.message}; asking again every {AWAY_S:g} s")
                stop.wait(AWAY_S)
                continue
            if request is None:
                stop.wait(IDLE_S)
            else:
                execute(loom, request, name, interruption, loom_url=loom_url, jobs=jobs)
                if interruption.came:
                    break
    return 0


def execute(
    loom: Loom,
    request: RunRequest,
    worker: str,
    interruption: Interruption,
    *,
    loom_url: str | None,
    jobs: int | None,
) -> None:
    """Executes a claimed run; one that could not be begun ends as FAILED, one that was interrupted goes back."""
    say(f"run {request.uuid} of {request.pipeline} begins")
    reporter = WorkerReporter()
    failed: LoomError | None = None
    try:
        ingest_paths(request_of(loom, request, worker, loom_url=loom_url, jobs=jobs), reporter, interruption)
        failed = reporter.ended_with
    except LoomError as error:
        failed = error
    with contextlib.suppress(LoomError):  # it has ended, or is another worker's by now
        loom.release_run(request.uuid, worker, None if failed is None or is_retryable(failed.code) else failed)


def request_of(loom: Loom, wanted: RunRequest, worker: str, *, loom_url: str | None, jobs: int | None) -> Request:
    """What an ingest is to do for a run: its globs are expanded here, its assets are visited where they lie here, and
    a source where it lies now."""
    paths = [Path(os.fsdecode(path)) for path in wanted.paths] if wanted.source is None else []
    places = [bytes(path) for pattern in wanted.globs for path in sorted(_matches(pattern))]
    for asset in _assets(loom, wanted):
        places.extend(_places(asset))
    return Request(
        paths=tuple(paths),
        pipeline=wanted.pipeline,
        version=wanted.version,
        dry_run=wanted.dry_run,
        recompute=wanted.recompute,
        jobs=jobs,
        loom_url=loom_url,
        places=tuple(dict.fromkeys(places)),
        sources=() if wanted.source is None else (wanted.source,),
        claim=(wanted.uuid, worker),
    )


def _matches(pattern: str) -> Iterator[Path]:
    """What an absolute pattern matches; `**` stands for any depth."""
    return Path(os.sep).glob(pattern.lstrip(os.sep))


def _assets(loom: Loom, wanted: RunRequest) -> Iterator[AssetShape]:
    for uuid in wanted.assets:
        yield loom.asset(uuid)
    if (query := wanted.query) is not None:
        yield from everything(partial(loom.assets, query))


def _places(asset: AssetShape) -> list[bytes]:
    """The first present file of the asset on this machine."""
    for location in asset.locations:
        if location.host == platform.node() and location.state == "present":
            exact = location.path_b64
            return [os.fsencode(location.path) if exact is None else base64.b64decode(exact)]
    return []
