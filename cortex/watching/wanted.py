"""What is to be watched, by the command line and by what Loom stores, and where it lies now."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cortex.engine.telling import shown
from cortex.ingesting import FILES, roots_of, with_options
from cortex.request import Request
from cortex.sources.known import Known
from cortex.sources.marker import Markers
from cortex.sources.placing import Placed, Where, place_of
from cortex.sources.roots import absolute, is_at_or_below, join
from cortex.sources.storing import add_source
from cortex.watching.named import NamedStore
from cortex.watching.root import Identity, identity_of
from cortex.watching.roots import Place
from loom.errors import LoomError
from loom.sources import Source, SourceOptions, SourceShape

if TYPE_CHECKING:
    from loom.verbs import Loom

_THERE = (Where.HERE, Where.ELSEWHERE)


class _Base(NamedTuple):
    """The source that a path of the command line is, or lies in: at `rest` below it."""

    name: str
    rest: bytes


class _Seen(NamedTuple):
    """A source as it was when all were looked for: what lay at `path`, or None when it was not there. It is looked for
    at, above and below the `roots`; None: everywhere."""

    source: Source
    path: bytes
    identity: Identity
    roots: tuple[bytes, ...] | None


class Wanted:
    """The paths and the stored sources that are named; all sources of this host where none is. A folder that is named
    becomes a source once; what lies in a source goes where that goes.

    `away` are the former places of sources that are not there, and why one says so.
    """

    def __init__(self, request: Request, host: str, note: Callable[[str], None], store: NamedStore) -> None:
        """`store` is watched alone, if there is one."""
        self.away: dict[bytes, str] = {}
        self._host = host
        self._note = note
        self._plain = request._replace(paths=(), sources=(), recompute=frozenset(), rehash=False)
        self._names = request.sources
        self._store_named = store
        paths = list(dict.fromkeys(map(absolute, roots_of(request))))
        self._lies_at = {path: path for path in paths}
        self._bases: dict[bytes, _Base] = {}
        self._to_store = set() if request.dry_run else set(paths)
        self._stored: dict[str, Source] | None = None
        self._seen: list[_Seen] = []
        self._told: dict[str, str] = {}

    @property
    def _is_all(self) -> bool:
        return not (self._names or self._lies_at or self._store_named.address)

    @property
    def lost(self) -> int:
        """How many of the sources are not there."""
        return len(self._told)

    def given(self) -> list[Place]:
        """What the command line names by its path, or by a pipeline; all that is known before Loom was asked."""
        return [*self._stores(), *(Place(path, self._plain) for path in self._lies_at.values())]

    def _stores(self) -> Iterator[Place]:
        if self._store_named.address is not None:
            yield Place(self._store_named.address, self._plain)

    def is_outdated(self, loom: Loom) -> bool:
        """Whether Loom stores other sources than before, or takes one now that it did not."""
        stored = {shape.name: shape.source() for shape in loom.sources(host=self._host)}
        return stored != self._stored or bool(self._to_store)

    def has_changed(self) -> bool:
        """Whether something else lies where a source lay. Loom is not asked."""
        return any(one.identity is not None and identity_of(one.path) != one.identity for one in self._seen)

    def is_back(self) -> bool:
        """Whether a source that was not there is. Loom is not asked."""
        lost = [one for one in self._seen if one.identity is None]
        markers = Markers()
        return any(place_of(one.source, markers, one.roots).where in _THERE for one in lost)

    def look(self, loom: Loom) -> list[Place]:
        """Looks where all that is wanted lies, and tells Loom. Raises `NOT_FOUND` for a source that is not stored when
        it is asked for first, `USAGE` for one of another machine and where nothing can come to be watched."""
        shapes = {shape.name: shape for shape in loom.sources(host=self._host)}
        known = Known(loom, self._host, dry_run=self._plain.dry_run)
        placed = {name: known.found(shapes[name]) for name in self._named(known, shapes)}
        roots = tuple(
            [path for given, path in self._lies_at.items() if given not in self._bases]
            + [one.path for one in placed.values() if one.where in _THERE]
        )
        others = [shape for shape in shapes.values() if shape.name not in placed]
        near = {one.source.name: one for one in known.near(roots, others)} if roots and others else {}
        new = self._find_bases(loom, placed, near)
        self._stored = {name: shape.source() for name, shape in shapes.items()} | new
        self.away = known.away
        self._seen = [
            *(_seen(one, None) for one in placed.values()),
            *(_seen(one, roots) for name, one in near.items() if name not in placed),
        ]
        for sentence in known.notes:
            self._note(sentence)
        self._tell_of(placed)
        return list(self._places(placed))

    def _named(self, known: Known, shapes: Mapping[str, SourceShape]) -> Iterable[str]:
        if self._is_all and not shapes:
            self._say_none()
        if self._is_all:
            return shapes
        if self._stored is None:
            for name in self._names:
                if name not in shapes:
                    known.named(name)
        self._bases = {path: base for path, base in self._bases.items() if base.name in shapes}
        names = [*self._names, *(base.name for base in self._bases.values())]
        return dict.fromkeys(name for name in names if name in shapes)

    def _say_none(self) -> None:
        if self._plain.dry_run:
            raise LoomError("USAGE", "no sources are stored: say which folders to watch: cortex watch PATH...")
        if self._stored is None:
            self._note(
                "no sources are stored here yet: `cortex sources add PATH` adds one, which is watched from then on"
            )

    def _find_bases(self, loom: Loom, placed: dict[str, Placed], near: dict[str, Placed]) -> dict[str, Source]:
        """Paths without one get the source that they are or lie in, if there is one; folders become one. Those that
        lie in others come after these. Returns the new ones."""
        new: dict[str, Source] = {}
        for given, path in sorted(self._lies_at.items(), key=lambda one: len(one[1])):
            if given in self._bases:
                continue
            around = [one for one in (placed | near).values() if is_at_or_below(path, one.path)]
            base = max(around, key=lambda one: len(one.path), default=None)
            if base is None and given in self._to_store and (base := self._store(loom, given, path)) is not None:
                new[base.source.name] = base.source
            if base is not None:
                self._to_store.discard(given)
                placed[base.source.name] = base
                self._bases[given] = _Base(base.source.name, path[len(base.path) :].lstrip(b"/"))
        return new

    def _store(self, loom: Loom, given: bytes, path: bytes) -> Placed | None:
        """None for what does not become a source, or not now: its pipeline may be stored by the first round, or another
        process has just taken the name."""
        if not os.path.isdir(path):
            self._to_store.discard(given)
            return None
        named = self._plain.pipeline
        options = SourceOptions(
            pipeline=None if named is not None and Path(named).suffix in FILES else named,
            include=self._plain.include,
            exclude=self._plain.exclude,
            hidden=self._plain.hidden,
        )
        try:
            stored = add_source(loom, Path(os.fsdecode(path)), None, options)
        except LoomError as error:
            if error.code == "REQUEST_INVALID":
                self._to_store.discard(given)
            elif error.code not in ("NOT_FOUND", "SOURCE_EXISTS"):
                raise
            return None
        if not self._plain.quiet:
            self._note(f"{shown(path)} is the source {stored.name} from now on: cortex sources show {stored.name}")
        return Placed(stored.source(), Where.HERE, path)

    def _tell_of(self, placed: Mapping[str, Placed]) -> None:
        """Of sources that went, or came back to where they were, once."""
        told, self._told = self._told, {}
        for name, one in placed.items():
            if one.where in _THERE:
                if name in told and one.where is Where.HERE:
                    self._note(f"{shown(one.path)} is back")
                continue
            why = self._told[name] = self.away.get(one.path, f"the source {name} is not there")
            if told.get(name) != why:
                self._note(f"{why}; it is watched again once it is found")

    def _places(self, placed: Mapping[str, Placed]) -> Iterator[Place]:
        """The paths first: what the command line says of them goes before what is stored."""
        yield from self._stores()
        for given in self._lies_at:
            base = self._bases.get(given)
            if base is None:
                yield Place(self._lies_at[given], self._plain)
                continue
            one = placed[base.name]
            if one.where in _THERE:
                self._lies_at[given] = path = join(one.path, base.rest) if base.rest else one.path
                yield Place(path, self._plain if base.rest else with_options(self._plain, one.source.options))
        for name in placed if self._is_all else self._names:
            if name in placed and placed[name].where in _THERE:
                yield Place(placed[name].path, with_options(self._plain, placed[name].source.options))


def _seen(placed: Placed, roots: tuple[bytes, ...] | None) -> _Seen:
    identity = identity_of(placed.path) if placed.where in _THERE else None
    return _Seen(placed.source, placed.path, identity, roots)
