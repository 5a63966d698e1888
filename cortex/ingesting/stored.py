"""Stored sources: ingested by their names with their options, and known again where an ingest of paths meets them."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cortex.ingesting.files import roots_of
from cortex.request import Request
from cortex.sources.roots import absolute, is_at_or_below
from loom.errors import LoomError

if TYPE_CHECKING:
    from loom.sources import SourceOptions
    from loom.verbs import Loom


def parts_of(request: Request, loom: Loom, host: str, note: Callable[[str], None]) -> list[Request]:
    """What is asked for, one ingest for all that has the same options: the paths, and each source of `--source` where
    it lies now. What the command line says goes before a source's own pipeline and patterns, and what it leaves out is
    left out besides. A source that lies in another one, or in a path, is looked at once, with its own options. Sources
    that are away are `away` in the first; a run that Loom has handed out goes over one all the same, and ends as what
    could not be done. Raises `NOT_FOUND`, `USAGE` for a source of another machine, `SOURCE_UNREACHABLE` where nothing
    is left to ingest."""
    if not request.sources:
        return [request]
    from cortex.sources.known import Known
    from cortex.sources.placing import Where

    known = Known(loom, host, dry_run=request.dry_run)
    asked = request._replace(sources=(), paths=())
    parts: dict[Request, list[Path]] = {}
    placed_at: dict[bytes, str] = {}
    if request.paths or request.files_from:
        parts[asked] = list(request.paths)
    for name in dict.fromkeys(request.sources):
        placed = known.named(name)
        if placed.where in (Where.HERE, Where.ELSEWHERE) or request.claim is not None:
            parts.setdefault(with_options(asked, placed.source.options), []).append(Path(os.fsdecode(placed.path)))
            placed_at[placed.path] = name
    for sentence in (*known.notes, *_inside_each_other(placed_at)):
        note(sentence)
    if not parts:
        raise LoomError("SOURCE_UNREACHABLE", "; ".join(known.away.values()))
    first, *others = [
        part._replace(paths=tuple(paths), apart=_apart(paths, placed_at)) for part, paths in parts.items()
    ]
    return [first._replace(away=tuple(known.away.items())), *others]


def _inside_each_other(placed_at: Mapping[bytes, str]) -> Iterator[str]:
    """A sentence about each source that lies in another one."""
    for path, name in placed_at.items():
        around = [other for other in placed_at if other != path and is_at_or_below(path, other)]
        if around:
            outer = placed_at[max(around, key=len)]
            yield f"The source {name} lies in {outer}: its files are looked at once, as those of {name}"


def _apart(paths: Iterable[Path], placed_at: Collection[bytes]) -> frozenset[bytes]:
    """The sources that lie in these folders and are none of them."""
    own = {absolute(bytes(path)) for path in paths}
    others = (path for path in placed_at if path not in own)
    return frozenset(path for path in others if any(is_at_or_below(path, root) for root in own))


def with_options(request: Request, options: SourceOptions) -> Request:
    """What is asked for, for a source with these options."""
    left_out = options.exclude
    if left_out[len(left_out) - len(request.exclude) :] != request.exclude:
        left_out += request.exclude
    return request._replace(
        pipeline=request.pipeline or options.pipeline,
        include=request.include or options.include,
        exclude=left_out,
        hidden=request.hidden or options.hidden,
        files_from=None,
    )


def at_their_places(
    request: Request, loom: Loom | None, host: str, note: Callable[[str], None], *, dry_run: bool
) -> Request:
    """Sees to stored sources at, below or above the paths: one that lies elsewhere now is moved first, and one whose
    disk is away is `away`. A watch sees to that itself."""
    roots = [absolute(root) for root in roots_of(request)]
    stored = loom.sources(host=host) if loom is not None and roots and request.watched is None else []
    if loom is None or not stored:
        return request
    from cortex.sources.known import Known

    known = Known(loom, host, dry_run=dry_run)
    known.near(roots, stored)
    for sentence in known.notes:
        note(sentence)
    return request._replace(away=tuple((dict(request.away) | known.away).items()))
