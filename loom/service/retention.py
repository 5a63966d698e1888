"""How long the details of ended runs are kept."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from loom.service.nowandthen import now_and_then

if TYPE_CHECKING:
    from loom.service.upkeep import LocalUpkeep

EVERY_S = 6 * 3600.0
FIRST_S = 5.0
"""A command that is quickly done does not begin with it."""

DAY_US = 86_400_000_000


def forgetting(loom: LocalUpkeep, days: int, *, first_s: float = FIRST_S) -> AbstractContextManager[None]:
    """Meanwhile, now and then, of runs that ended more than so many days ago only the counts are kept; 0 days keeps
    all."""
    if not days:
        return nullcontext()
    return now_and_then(
        "retention",
        lambda stopped: loom.forget_outcomes(days * DAY_US, stopped=stopped),
        first_s=first_s,
        every_s=EVERY_S,
    )
