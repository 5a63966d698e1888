"""Roots in groups, with real folders that are followed."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import until

from cortex.request import Request
from cortex.watching.group import Group
from cortex.watching.pending import GATHER_S, Pending, Work
from cortex.watching.roots import Place, Roots
from cortex.watching.settling import Settling
from loom.errors import LoomError

PLAIN, HIDDEN = Request(), Request(hidden=True)


class Kept:
    def __init__(self, folder: Path) -> None:
        self.notes: list[str] = []
        self.now = 0.0
        self.outer, self.inner, self.other = (os.fsencode(folder / name) for name in ("outer", "outer/in", "other"))
        for path in (self.inner, self.other):
            os.makedirs(path)
        self.roots = Roots(self._group, Settling(0.0), 1000.0, 500.0, lambda: None, self.notes.append)

    def _group(self, request: Request, pending: Pending) -> Group:
        return Group(request, pending, (), self.notes.append)

    def follow(self, *places: tuple[bytes, Request]) -> None:
        self.roots.follow([Place(*place) for place in places], self.now)
        until(lambda: self.roots.ready)

    def rounds(self) -> list[tuple[Request, Work]]:
        """All that is due, group by group."""
        self.now += 1.0
        self.roots.pending.look(now=self.now, wall_ns=0)
        taken = []
        while (due := self.roots.next())[1] is not None:
            assert due[0] <= self.now + GATHER_S
            taken.append((due[1].request, self.roots.pending.take(due[1].roots)))
        return taken


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    made.roots.end()


def test_what_has_the_same_options_is_due_together(kept: Kept) -> None:
    kept.follow((kept.outer, PLAIN), (kept.inner, HIDDEN), (kept.other, PLAIN))
    (first, both), (second, inner) = kept.rounds()
    assert (first, sorted(both.roots), both.changed) == (PLAIN, sorted([kept.outer, kept.other]), {})
    assert (second, inner) == (HIDDEN, Work((kept.inner,), {}))
    assert (kept.roots.apart(both), kept.roots.apart(inner)) == ({kept.inner}, set()), "it has a round of its own"
    kept.follow((kept.outer, PLAIN), (kept.inner, HIDDEN), (kept.other, PLAIN))
    assert kept.roots.next() == (math.inf, None)


def test_what_has_other_options_now_is_walked_whole(kept: Kept) -> None:
    kept.follow((kept.outer, PLAIN), (kept.other, PLAIN))
    kept.rounds()
    kept.follow((kept.outer, PLAIN), (kept.other, HIDDEN))
    assert kept.rounds() == [(HIDDEN, Work((kept.other,), {}))]
    kept.roots.pending.changed(kept.other, [os.path.join(kept.other, b"gone")])
    ((request, work),) = kept.rounds()
    assert (request, work.roots) == (HIDDEN, (kept.other,)), "it is still followed"


def test_a_path_that_is_named_twice_has_the_first_options(kept: Kept) -> None:
    kept.follow((kept.other, HIDDEN), (kept.other, PLAIN))
    assert kept.rounds() == [(HIDDEN, Work((kept.other,), {}))]


def test_what_is_let_go_is_passed_over(kept: Kept) -> None:
    kept.follow((kept.outer, PLAIN), (kept.other, HIDDEN))
    kept.follow((kept.outer, PLAIN))
    kept.roots.pending.changed(kept.other, [kept.other])
    assert kept.rounds() == [(PLAIN, Work((kept.outer,), {}))]
    assert not kept.roots.look(1.0, is_due=False)
    assert len(kept.roots) == 1


def test_a_group_that_waits_holds_up_no_other(kept: Kept) -> None:
    kept.follow((kept.outer, PLAIN), (kept.other, HIDDEN))
    kept.roots.pending.look(now=0.0, wall_ns=0)
    kept.roots.groups[PLAIN].again.later(LoomError("NOT_FOUND", "no such pipeline"))
    assert kept.roots.next() == (GATHER_S, kept.roots.groups[HIDDEN])
    assert kept.notes == ["NOT_FOUND: no such pipeline (tried again until it can be done)"]
