"""What files that are known are computed again for is said before it begins."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from cortex.engine.telling import shown
from cortex.ingesting.forecasting import Planned, planned
from cortex.report.summary import human_seconds
from cortex.sources.found import Found
from cortex.sources.roots import absolute
from loom.errors import LoomError
from loom.shapes import ForecastNode

if TYPE_CHECKING:
    from cortex.engine.scheme import Scheme
    from cortex.engine.telling import Reporter
    from cortex.request import Request
    from loom.verbs import Loom

MANY = 100
"""For more files than that it is said."""

_NAMED = 3
"""So many nodes, or paths, are named."""


class Recompute(NamedTuple):
    """Nodes of which many known files have no result as they are now: of an older version, with other options, or none
    at all. `seconds` in all (None: nobody knows), `look` is a command that tells more."""

    nodes: tuple[tuple[str, ForecastNode], ...]
    seconds: float | None
    look: str

    @property
    def message(self) -> str:
        several = len({pipeline for pipeline, _ in self.nodes}) > 1
        lines = [
            _in_words(f"{pipeline}/{node.node}" if several else node.node, node)
            for pipeline, node in self.nodes[:_NAMED]
        ]
        if len(self.nodes) > _NAMED:
            more = len(self.nodes) - _NAMED
            lines.append(f"likewise for {more} more {'node' if more == 1 else 'nodes'}")
        took = f" (about {human_seconds(self.seconds)})" if self.seconds else ""
        return f"{'; '.join(lines)}{took}; look first with: {self.look}"

    @property
    def facts(self) -> dict[str, Any]:
        nodes = [
            {"pipeline": pipeline, "node": one.node, "stale": one.stale, "missing": one.missing, "seconds": one.seconds}
            for pipeline, one in self.nodes
        ]
        return {"about": "recompute", "nodes": nodes, "seconds": self.seconds, "look": self.look}


def _in_words(name: str, node: ForecastNode) -> str:
    stale = f"{node.stale:,} files have a result of an older version or other options and are computed again"
    missing = f"{node.missing:,} known files have no result yet and are computed"
    return f"{name}: {', '.join(text for text, many in ((stale, node.stale), (missing, node.missing)) if many)}"


def foretelling(
    request: Request, scheme: Scheme, loom: Loom | None, jobs: int, reporter: Reporter
) -> Callable[[Iterator[Found]], Iterator[Found]]:
    """What found files go through on their way to an ingest. Nothing is said where somebody has asked for just that:
    nodes or files anew, or a run that Loom hands out."""
    asked = request.recompute or request.rehash or request.places or request.claim is not None
    if loom is None or asked or (request.quiet and not request.json):
        return iter

    def tell() -> None:
        with suppress(LoomError):  # the ingest itself will tell of a Loom that is away
            told = recompute(planned(loom, scheme, request), jobs, look(request))
            if told is not None:
                reporter.note(told.message, told.facts)

    return lambda found: held_back(found, tell)


def held_back(found: Iterator[Found], tell: Callable[[], None]) -> Iterator[Found]:
    """Passes found files on. Those of known content, with which something is left to do under the plan that is now,
    wait until it is clear whether they are many: then `tell` is called before the first of them goes on."""
    held: list[Found] = []
    for one in found:
        if one.asset is None:
            yield one
            continue
        held.append(one)
        if len(held) > MANY:
            tell()
            break
    yield from held
    yield from found


def recompute(plans: list[Planned], jobs: int, command: str) -> Recompute | None:
    """None where no node has many files to compute. Times are those of one core: there are `jobs`."""
    nodes = tuple((one.pipeline, node) for one in plans for node in one.nodes if node.stale + node.missing > MANY)
    if not nodes:
        return None
    known = [node.seconds for _, node in nodes if node.seconds is not None]
    return Recompute(nodes, sum(known) / jobs if known else None, command)


def look(request: Request) -> str:
    """The command that shows the plan for the same files."""
    pipeline = ["--pipeline", request.pipeline] if request.pipeline is not None else []
    paths = [shown(absolute(bytes(path))) for path in request.paths]
    more = " …" if len(paths) > _NAMED else ""
    return shlex.join(["cortex", "ingest", "--plan", *pipeline, *paths[:_NAMED]]) + more
