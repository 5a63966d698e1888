"""Where a stored source lies: where it was, at another place, or nowhere."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from cortex.sources.marker import Markers
from cortex.sources.roots import at_and_above, is_at_or_below
from loom.sources import Marker, Source


class Where(Enum):
    """`HERE`: where it was. `ELSEWHERE`: at another place. `AWAY`: its disk is not there, or it is not to be found.
    `GONE`: what it lay on is there, and it is not."""

    HERE = "here"
    ELSEWHERE = "elsewhere"
    AWAY = "away"
    GONE = "gone"


class Placed(NamedTuple):
    """Where a source lies: `path` is its place now, and the former one when it has none."""

    source: Source
    where: Where
    path: bytes


def place_of(source: Source, markers: Markers, roots: Sequence[bytes] | None = None) -> Placed:
    """Looks for it where it was, and then at every place that is at, below or above one of the `roots`; None: at every
    place. Without a marker, or where none can be had, it is known by its path alone."""
    marker = source.marker
    if marker is None or (marker.kind == "filesystem" and not markers.tell_disks):
        return Placed(source, Where.HERE if os.path.exists(source.path) else Where.GONE, source.path)
    if markers.fits(marker, source.path):
        return Placed(source, Where.HERE, source.path)
    found = found_at(source.path, marker, markers, roots)
    if found is not None:
        return Placed(source, Where.ELSEWHERE, found)
    is_gone = not os.path.exists(source.path) and _is_deleted(marker, markers)
    return Placed(source, Where.GONE if is_gone else Where.AWAY, source.path)


def _is_deleted(marker: Marker, markers: Markers) -> bool:
    """Whether its disk is there, and it is nowhere on it."""
    is_there = marker.kind == "filesystem" and markers.is_mounted(marker)
    return is_there and next(markers.places(marker, lambda _: True), None) is None


def found_at(former: bytes, marker: Marker, markers: Markers, roots: Sequence[bytes] | None) -> bytes | None:
    """The place that the marker fits, as `place_of` looks for it. What was moved by hand and marked with a file is
    found in the folder where it was, and in the roots themselves."""
    for folder in _at_and_above(roots or ()):
        if markers.fits(marker, folder):
            return folder

    def may_be(path: bytes) -> bool:
        return roots is None or is_near(path, roots)

    place = next(markers.places(marker, may_be), None)
    if place is not None or marker.kind != "file":
        return place
    parent = os.path.dirname(former)
    around = (parent,) if roots is None else (parent, *roots) if _is_below(parent, roots) else roots
    return next(filter(None, (markers.in_folder(marker, folder) for folder in around)), None)


def _is_below(path: bytes, roots: Iterable[bytes]) -> bool:
    return any(is_at_or_below(path, root) for root in roots)


def _at_and_above(roots: Sequence[bytes]) -> Iterable[bytes]:
    return dict.fromkeys(folder for root in roots for folder in at_and_above(root))


def is_near(path: bytes, roots: Iterable[bytes]) -> bool:
    """Whether it is at, below or above one of them."""
    return any(is_at_or_below(path, root) or is_at_or_below(root, path) for root in roots)
