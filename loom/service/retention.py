"""How long the details of ended runs are kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loom.service.upkeep import LocalUpkeep

EVERY_S = 6 * 3600.0
FIRST_S = 5.0
"""A command that is quickly done does not begin with it."""

DAY_US = 86_400_000_000


@contextmanager
def forgetting(loom: LocalUpkeep, days: int, *, first_s: float = FIRST_S) -> Iterator[None]:
    """Meanwhile, now and then, of runs that ended more than so many days ago only the counts are kept; 0 days keeps
    all. What cannot be done now (the database is busy, or away) is done the next time."""
    if not days:
        yield
        return
    stopped = threading.Event()

    def forget() -> None:
        from loom.errors import LoomError

        wait_s = first_s
        while not stopped.wait(wait_s):
            wait_s = EVERY_S
            try:
                loom.forget_outcomes(days * DAY_US, stopped=stopped.is_set)
            except LoomError:
                continue

    thread = threading.Thread(target=forget, name="retention", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
