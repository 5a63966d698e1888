"""Sinks whose process is killed in the middle of their work on a file, once it is written down that they are about to
do it, or once it is done: as `DYING` says, for files whose name begins with `dying`."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from distributions import offer

from cortex.media import Media
from cortex.node import NodeContext
from cortex.operators.sinks.copying import Copy
from cortex.operators.sinks.moving import Move
from cortex.operators.sinks.sidecar import Sidecar
from loom.model import Action

AHEAD, DONE = "ahead", "done"


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _doomed(ctx: NodeContext, media: Media) -> NodeContext:
    when = os.environ.get("DYING") if os.path.basename(media.path).startswith("dying") else None
    intend = ctx.intend

    def intend_and_die(action: Action) -> None:
        intend(action)
        _die()

    if when == AHEAD:
        ctx.intend = intend_and_die  # type: ignore[method-assign]
    elif when == DONE:
        ctx.acted = lambda action: _die()  # type: ignore[method-assign]
    return ctx


class DyingMove(Move):
    """`sink.move` that may die."""

    operator = "dying.move"

    def compute(self, ctx: NodeContext, media: Media) -> None:
        super().compute(_doomed(ctx, media), media)


class DyingCopy(Copy):
    """`sink.copy` that may die."""

    operator = "dying.copy"

    def compute(self, ctx: NodeContext, media: Media) -> None:
        super().compute(_doomed(ctx, media), media)


class DyingSidecar(Sidecar):
    """`sink.sidecar` that may die."""

    operator = "dying.sidecar"

    def compute(self, ctx: NodeContext, media: Media) -> None:
        super().compute(_doomed(ctx, media), media)


def install(site: Path) -> str:
    """Makes a distribution that offers them in the folder `site`; returns the PYTHONPATH that has it."""
    return offer(site, "dying", DyingMove, DyingCopy, DyingSidecar)
