"""Sources that lie at each other's places: in which order Loom can be told, as no two of them may lie at one path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cortex.sources.marker import Markers
from cortex.sources.placing import Placed, Where, place_of
from loom.sources import Source
from loom.verbs import Sources

_PARKING = b"/.loom-source-on-its-way/"
"""Below it lies nothing. A source of which Loom believes it, because this process was killed, is looked for like any
other that is not where it was."""


def shift(loom: Sources, host: str, placed: Placed, markers: Markers) -> list[Placed]:
    """Tells Loom that the source lies elsewhere. Another one that Loom still believes there, and that lies elsewhere
    itself, is moved before it; so two disks whose mount points were swapped change places. Returns all that were moved,
    those first that had to make room. Raises `SOURCE_EXISTS` where one is in the way that stays or is not to be
    found."""
    stored = {source.path: source for source in (shape.source() for shape in loom.sources(host=host))}
    row = list(_in_the_way(placed, stored, markers))
    moves = [(one.source, one.path) for one in reversed(row)]
    if row[-1].path == placed.source.path:
        moves.insert(0, (placed.source, _PARKING + placed.source.name.encode()))
    for source, path in moves:
        loom.move_source(source.name, path)
    return list(reversed(row))


def _in_the_way(placed: Placed, stored: Mapping[bytes, Source], markers: Markers) -> Iterator[Placed]:
    """The source, the one that Loom believes at its place, the one at the place of that, and so on, until one has a
    place where none is believed, or the place of the first."""
    met = {placed.source.name}
    yield placed
    while (other := stored.get(placed.path)) is not None and other.name not in met:
        met.add(other.name)
        placed = place_of(other, markers)
        if placed.where is not Where.ELSEWHERE:
            return
        yield placed
