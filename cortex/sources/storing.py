"""What a person says about stored sources: that there is one, by what it is known again, where it lies now."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Collection
from pathlib import Path

from cortex.sources.ignore import compile_patterns
from cortex.sources.marker import Markers, set_mark
from cortex.sources.roots import absolute
from loom.errors import LoomError
from loom.sources import Source, SourceOptions, SourceShape
from loom.verbs import Sources

_LONGEST = 56
"""Letters of a name that is made of a folder's, so that there is room for a number."""


def add_source(loom: Sources, path: Path, name: str | None, options: SourceOptions) -> SourceShape:
    """Stores the folder, or the file, with the marker that it has now; without a name under the one that it has, or
    under one that is made of the folder's. Raises `USAGE` when it is not there and for a pattern that has no meaning,
    and what `save_source` does."""
    place = _there(path)
    try:
        compile_patterns((*options.include, *options.exclude))
    except ValueError as error:
        raise LoomError("USAGE", f"a pattern cannot be understood: {error}") from error
    if name is None:
        host = platform.node()
        stored = loom.sources()
        name = next((one.name for one in stored if one.host == host and one.source().path == place), None)
        name = name or _name_for(place, {one.name for one in stored})
    return _save(loom, Source(name=name, host=platform.node(), path=place, options=options))


def mark_source(loom: Sources, name: str) -> SourceShape:
    """Writes `.loom-source` into the folder, by which it is known from now on. Raises `NOT_FOUND`, `USAGE` when it lies
    on another machine or cannot be written to."""
    source = _ours(loom, name)
    set_mark(source.path)
    return _save(loom, source)


def move_source(loom: Sources, name: str, path: Path) -> SourceShape:
    """The source lies there now. Raises `NOT_FOUND`, `USAGE` when nothing does, or it lies on another machine, and
    what Loom's verb does."""
    source = _ours(loom, name)
    place = _there(path)
    loom.move_source(name, place)
    return _save(loom, Source(name=name, host=source.host, path=place, options=source.options))


def _save(loom: Sources, source: Source) -> SourceShape:
    """As it is found now."""
    found = Source(
        name=source.name,
        host=source.host,
        path=source.path,
        options=source.options,
        marker=Markers().of(source.path),
    )
    loom.save_source(found)
    loom.source_seen(source.name, reachable=True)
    return loom.source(source.name)


def _ours(loom: Sources, name: str) -> Source:
    source = loom.source(name).source()
    if source.host != platform.node():
        raise LoomError("USAGE", f"the source {name!r} lies on {source.host}, and this is {platform.node()}")
    return source


def _there(path: Path) -> bytes:
    place = absolute(os.fsencode(path))
    if not os.path.exists(place):
        raise LoomError("USAGE", f"there is no {path}")
    return place


def _name_for(path: bytes, taken: Collection[str]) -> str:
    """Made of the last part of the path; with a number behind where that is the name of another source."""
    last = os.path.basename(path).decode("utf-8", "replace").lower()
    base = re.sub(r"[^a-z0-9_-]+", "-", last).strip("-_")[:_LONGEST] or "source"
    names = (base, *(f"{base}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)
