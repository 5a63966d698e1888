"""What operators ask Loom's library that compare an asset with all others."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from typing import Annotated, NamedTuple

from pydantic import Field

from cortex.node import NodeContext
from loom.verbs.library import FINGERPRINTS, MOST_BITS, MOST_MATCHES, CopyAt, Library, Match

NodeId = Annotated[str, Field(min_length=1, max_length=255)]
Distance = Annotated[int, Field(ge=0, le=MOST_BITS)]

DISTANCES = {"image.phash": 8, "video.fingerprint": 8, "audio.fingerprint": 12}
"""What differs by no more counts as alike; measured, see `benchmarks/similar.py` and the operators themselves."""


class Likeness(NamedTuple):
    """A fingerprint, and others of the same kind by which copies are found too."""

    kind: str
    values: list[bytes]


class Alike(NamedTuple):
    """What Loom found: the asset itself, if it is stored, and others, the nearest first."""

    own: Match | None
    others: list[Match]


def likeness_of(ctx: NodeContext, node: str) -> Likeness | None:
    """The fingerprint that a node gave; None where it gave none that says anything."""
    for kind, fingerprint in FINGERPRINTS.items():
        keys = (fingerprint.key, "quality", *fingerprint.also)
        values = fingerprint.values({key: ctx.upstream_output(node, key) for key in keys})
        if values:
            return Likeness(kind, values)
    return None


def alike(library: Library, likeness: Likeness, distance: int | None, asset: bytes) -> Alike:
    """All assets within the distance of any of the values."""
    within = DISTANCES[likeness.kind] if distance is None else distance
    nearest: dict[bytes, Match] = {}
    for value in likeness.values:
        for match in library.similar(likeness.kind, value, within, MOST_MATCHES):
            known = nearest.get(match.asset)
            if known is None or match.distance < known.distance:
                nearest[match.asset] = match
    own = nearest.pop(asset, None)
    return Alike(own, sorted(nearest.values(), key=lambda match: (match.distance, match.since, match.asset)))


def copies_that_lie(copies: Sequence[CopyAt]) -> list[CopyAt]:
    """Without files of this host that are gone, as a moved one is before its old folder was looked at."""
    here = platform.node()
    return [one for one in copies if one.host != here or one.path[:1] != b"/" or os.path.lexists(one.path)]
