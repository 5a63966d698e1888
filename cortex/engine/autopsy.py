"""Why a worker died, who is to blame, and what becomes of the files it had in hand. No input or output."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from typing import NamedTuple

from cortex.engine.board import READING, Page
from cortex.engine.records import Blame, Item, Walked, unread

MAX_LOSSES = 3
"""How often a file may be in the hand of a worker that dies for no known reason before it is tried alone."""

MAX_DEATHS = 64
"""How many workers a single file may cost, whatever it does."""


class Cause(NamedTuple):
    """Why a worker died: an error code and a sentence."""

    code: str
    message: str


def cause_of(status: int, page: Page, *, overdue: bool, out_of_memory: bool) -> Cause:
    """`status` is the exit code, below 0 for a signal; `overdue`: the parent killed it for taking too long."""
    if overdue or status == -signal.SIGALRM:
        return Cause("TIMED_OUT", f"took longer than the {page.deadline - page.since:.3g} s it may")
    if status == -signal.SIGXCPU:
        return Cause("TIMED_OUT", "used more processor time than it may")
    if status == -signal.SIGKILL and out_of_memory:
        return Cause("WORKER_CRASHED", "the system ran out of memory and killed the worker process (SIGKILL)")
    if status < 0:
        number = -status
        known = number in set(signal.Signals)
        name = signal.Signals(number).name if known else f"signal {number}"
        return Cause("WORKER_CRASHED", f"the worker process died: {signal.strsignal(number) or name} ({name})")
    return Cause("WORKER_CRASHED", f"the worker process ended by itself, with exit code {status}")


Place = tuple[int, int, str]
"""Lane, step and phase."""


@dataclass
class _Case:
    suspected: set[Place] = field(default_factory=set)
    deaths: int = 0
    losses: int = 0


class Verdict(NamedTuple):
    """What becomes of a file: it is given up as `walked`, or `item` is tried again, by itself when `alone`."""

    item: Item
    alone: bool = False
    walked: Walked | None = None


class Court:
    """Remembers the files in whose company workers died, until they are done with.

    A file on whose account a worker dies is tried again alone. When that kills another worker at the same place, the
    place is blamed: the file is walked once more with that step FAILED, untried. If it dies while the file is only
    read, or in spite of the blame, the file is given up.
    """

    def __init__(self) -> None:
        self._cases: dict[int, _Case] = {}

    def close(self, token: int) -> None:
        """The file is done with."""
        if self._cases:
            self._cases.pop(token, None)

    def lost(self, item: Item, cause: Cause) -> Verdict:
        """A worker died with the file in hand, but not of it."""
        case = self._cases.setdefault(item.token, _Case())
        case.losses += 1
        if case.losses >= MAX_DEATHS:
            return Verdict(item, walked=unread(item.token, *cause))
        return Verdict(item, alone=case.losses >= MAX_LOSSES)

    def accuse(self, item: Item, page: Page, cause: Cause) -> Verdict:
        """A worker died at work on the file."""
        case = self._cases.setdefault(item.token, _Case())
        case.deaths += 1
        place = _place(page)
        if place not in case.suspected and case.deaths < MAX_DEATHS:
            case.suspected.add(place)
            return Verdict(item, alone=True)
        blamed = any((b.lane, b.step, b.phase) == place for b in item.blamed)
        nowhere = place[1] < 0 and not place[2]
        if page.stage == READING or nowhere or blamed or case.deaths >= MAX_DEATHS:
            return Verdict(item, walked=unread(item.token, *cause))
        return Verdict(item._replace(blamed=(*item.blamed, Blame(*place, *cause))), alone=True)


def _place(page: Page) -> Place:
    """A phase is shared by many steps, so that the step that happened to be first to need it is not to blame."""
    if page.stage == READING:
        return -1, -1, page.phase or "read"
    return page.lane, -1 if page.phase else page.step, page.phase
