"""How often Python looks for garbage in cycles.

The engine makes some hundred small values an asset, none of them in cycles, and keeps many of them for a while. Looking
for cycles after every 700 of them, as is the default, took half of the parent's time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_THRESHOLDS = (20_000, 50, 100)
_AT_FIRST = (300_000, 50, 100)


def look_seldom() -> None:
    """While a process gets ready: nearly all that it makes then is there to stay."""
    gc.set_threshold(*_AT_FIRST)


def look_rarely() -> None:
    """For the rest of this process."""
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


def look_no_more() -> None:
    """At the end of a process, where the interpreter would go through everything twice more."""
    gc.freeze()
    gc.disable()


@contextmanager
def looked_for_rarely() -> Iterator[None]:
    """While an ingest runs in a process that may belong to somebody else; what was there before is not looked at."""
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        if not frozen:
            gc.unfreeze()
