"""How the bytes of derived files are had where a step wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from cortex.derived import DerivedFile
from cortex.engine.records import Computed, Spilled
from loom.model import ArtifactRef


class Reach(NamedTuple):
    """`read` gives the bytes of a stored derived file; of one that was made in this run, and is too large for messages,
    at most `most` bytes are taken into memory."""

    read: Callable[[ArtifactRef], bytes]
    most: int


def _unread(_: ArtifactRef) -> bytes:
    raise ValueError("the bytes of derived files are out of reach here")


NOWHERE = Reach(_unread, 0)
"""For what goes by names alone."""


def files_made(computed: Computed, reach: Reach) -> list[DerivedFile]:
    """Those that computing a step gave."""
    files = [DerivedFile(name, kind, len(data), partial(bytes, data)) for name, data, kind in computed.artifacts]
    return files + [_spilled(one, reach.most) for one in computed.spilled]


def files_stored(refs: Iterable[ArtifactRef], reach: Reach) -> list[DerivedFile]:
    return [DerivedFile(ref.name, ref.media_type, ref.size, partial(reach.read, ref), ref) for ref in refs]


def _spilled(one: Spilled, most: int) -> DerivedFile:
    size = sum(count for _, count in one.extents)
    return DerivedFile(one.name, one.media_type, size, lambda: one.read(most).data)
