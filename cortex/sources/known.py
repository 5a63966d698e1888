"""The stored sources of a host, and what Loom is told when one is not where it was."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from cortex.sources.ignore import is_litter
from cortex.sources.marker import Markers
from cortex.sources.placing import Placed, Where, found_at, is_near, place_of
from cortex.sources.shifting import shift
from loom.errors import LoomError
from loom.sources import Source, SourceShape
from loom.verbs import Ledger, Sources


class Memory(Sources, Ledger, Protocol):
    """What is asked of Loom here."""


class Known:
    """The stored sources of a host. `near`, `named` and `found` look where they lie; what is found is told to Loom,
    unless it is a dry run: a source at another place is moved there with all that is known of it, and the files of one
    that is away are unreachable, never missing.

    `notes` are sentences for a person. `away` are the former places of sources that are away, and why one says so:
    nothing at or below them counts as gone, and what lies there now is another thing.
    """

    def __init__(self, loom: Memory, host: str, *, dry_run: bool = False, markers: Markers | None = None) -> None:
        self.notes: list[str] = []
        self.away: dict[bytes, str] = {}
        self._loom = loom
        self._host = host
        self._dry_run = dry_run
        self._markers = markers or Markers()
        self._moved: dict[str, Placed] = {}

    def near(self, roots: Sequence[bytes], stored: Iterable[SourceShape] | None = None) -> list[Placed]:
        """The sources at, below or above one of these paths, which are absolute, and those whose disk lies there now;
        of all that are `stored`, if that is known already."""
        stored = self._loom.sources(host=self._host) if stored is None else stored
        found = list(self._near(roots, stored))
        found.sort(key=lambda one: one[1].where is not Where.ELSEWHERE)  # others may make room for these
        return [self._told(shape, placed) for shape, placed in found]

    def named(self, name: str) -> Placed:
        """The source of this name, as with `found`. Raises `NOT_FOUND`, `USAGE` for one of another machine."""
        shape = self._loom.source(name)
        if shape.host != self._host:
            raise LoomError("USAGE", f"the source {name!r} lies on {shape.host}, and this is {self._host}")
        return self.found(shape)

    def found(self, shape: SourceShape) -> Placed:
        """The source, wherever it lies; one that is not there is away in any case."""
        placed = place_of(shape.source(), self._markers)
        return self._told(shape, placed._replace(where=Where.AWAY) if placed.where is Where.GONE else placed)

    def _near(self, roots: Sequence[bytes], stored: Iterable[SourceShape]) -> Iterator[tuple[SourceShape, Placed]]:
        for shape in stored:
            source = shape.source()
            if is_near(source.path, roots):
                yield shape, place_of(source, self._markers, roots)
            elif self._may_have_moved(source, roots):
                placed = place_of(source, self._markers, roots)
                if placed.where is Where.ELSEWHERE:
                    yield shape, placed

    def _may_have_moved(self, source: Source, roots: Sequence[bytes]) -> bool:
        """A source that the paths have nothing to do with is not looked at where it was, if that can be helped: its
        disk may be asleep."""
        marker = source.marker
        if marker is None or self._markers.may_hang(source.path):
            return False
        return marker.kind == "file" or found_at(source.path, marker, self._markers, roots) is not None

    def _told(self, shape: SourceShape, placed: Placed) -> Placed:
        if shape.name in self._moved:
            return self._moved[shape.name]
        if placed.where is Where.ELSEWHERE:
            return self._elsewhere(shape, placed)
        if placed.where is Where.AWAY:
            return self._not_there(shape, placed)
        is_there = placed.where is Where.HERE and not _was_emptied(shape, placed.path)
        if not self._dry_run:
            self._loom.source_seen(shape.name, reachable=is_there)
        return placed

    def _elsewhere(self, shape: SourceShape, placed: Placed) -> Placed:
        if self._dry_run:
            self.notes.append(f"{_in_words(placed)}; a dry run does not remember it")
            return placed
        try:
            moved = shift(self._loom, self._host, placed, self._markers)
        except LoomError as error:
            if error.code != "SOURCE_EXISTS":
                raise
            return self._not_there(shape, Placed(placed.source, Where.AWAY, placed.source.path))
        for one in moved:
            self._moved[one.source.name] = one
            self._remember_inside(one)
            self._loom.source_seen(one.source.name, reachable=True)
            self.notes.append(_in_words(one))
        return placed

    def _remember_inside(self, placed: Placed) -> None:
        """A folder with a mark of its own may lie elsewhere on its disk, too."""
        former = placed.source.marker
        marker = self._markers.of_file(placed.path) if former is not None and former.kind == "file" else former
        if marker != former:
            self._loom.save_source(msgspec.structs.replace(placed.source, path=placed.path, marker=marker))

    def _not_there(self, shape: SourceShape, placed: Placed) -> Placed:
        """Only the first time are its files marked: later, those that are present are others' at the same place."""
        self.away[placed.path] = self._why(placed.source)
        if not self._dry_run:
            if shape.state != "unreachable":
                self._loom.mark_unreachable(self._host, placed.path)
            self._loom.source_seen(shape.name, reachable=False)
        return placed

    def _why(self, source: Source) -> str:
        elsewhere = place_of(source, self._markers)
        if elsewhere.where is Where.ELSEWHERE:
            return f"the source {source.name} lies at {_shown(elsewhere.path)} now"
        if not os.path.exists(source.path):
            return f"the source {source.name} is not there"
        if source.marker is not None and source.marker.kind == "file":
            return f"what lies there is not marked as the source {source.name}"
        return f"what lies there is on another disk than the source {source.name}"


def _in_words(placed: Placed) -> str:
    return f"{placed.source.name} lay at {_shown(placed.source.path)} and lies at {_shown(placed.path)} now"


def _was_emptied(shape: SourceShape, path: bytes) -> bool:
    """Whether a source that is known by its path shows nothing where there were files, as a disk that is not mounted
    does."""
    if shape.marker is not None or not (shape.files or shape.state == "unreachable"):
        return False
    try:
        return not any(name for name in os.listdir(path) if not (name.startswith(b".") or is_litter(name)))
    except NotADirectoryError:
        return False
    except OSError:
        return True


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "replace")
