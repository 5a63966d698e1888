"""What is forgotten of old runs while Loom is open, and what is not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from databases import new_sqlite
from ledgers import COMPUTED, SilentBus, begin, closing, done, report, toy_operators
from msgspec.structs import replace
from programs import until

from loom.errors import LoomError
from loom.model import Problem
from loom.service import LocalLoom
from loom.service.base import now_us
from loom.service.retention import DAY_US, forgetting
from loom.store.database import Database


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[LocalLoom]:
    loom = LocalLoom(Database.open(new_sqlite(tmp_path)), tmp_path / "blobs", SilentBus(), toy_operators())
    yield loom
    loom.close()


def ended(loom: LocalLoom, days: float) -> UUID:
    run = begin(loom)
    loom.report(run, [report(c, results=[done(0)], outcomes=[COMPUTED, COMPUTED]) for c in ("a", "b")])
    loom.finish_run(replace(closing(run), finished=now_us() - int(days * DAY_US)))
    return run


def details(loom: LocalLoom, run: UUID) -> int:
    return len(loom.run_results(run).items)


def test_old_runs_lose_their_details_and_others_do_not(loom: LocalLoom) -> None:
    old, new = ended(loom, 8), ended(loom, 6)
    with forgetting(loom, 7, first_s=0):
        until(lambda: details(loom, old) == 0)
    assert (details(loom, new), loom.run(old).assets.seen) == (4, 3)


def test_nothing_goes_when_all_is_to_be_kept(loom: LocalLoom) -> None:
    old = ended(loom, 30_000)
    with forgetting(loom, 0, first_s=0):
        assert not any(thread.name == "retention" for thread in threading.enumerate())
    assert details(loom, old) == 4


def test_a_database_that_is_away_ends_nothing() -> None:
    class Away:
        asked = threading.Event()

        def forget_outcomes(self, *_: Any, **__: Any) -> int:
            self.asked.set()
            raise LoomError("DATABASE_UNREACHABLE", "It is away.")

    away: Any = Away()
    with forgetting(away, 7, first_s=0):
        assert away.asked.wait(60)
        assert any(thread.name == "retention" for thread in threading.enumerate())


def test_it_may_be_stopped_between_two_parts(loom: LocalLoom) -> None:
    old = ended(loom, 8)
    assert loom.forget_outcomes(DAY_US, stopped=lambda: True) == 0
    assert details(loom, old) == 4


def test_of_what_is_forgotten_is_told_that_it_was(loom: LocalLoom) -> None:
    old, new, without = ended(loom, 8), ended(loom, 6), begin(loom)
    problem = Problem(b"/data/x", "FILE_UNREADABLE", "no")
    past = now_us() - 8 * DAY_US
    loom.finish_run(replace(closing(without), finished=past, problems=(problem,), nodes={}))
    with forgetting(loom, 7, first_s=0):
        until(lambda: details(loom, old) == 0 and not loom.run_problems(without).items)
    assert [loom.run(run).forgotten for run in (old, new, without)] == [True, False, False]
    assert loom.run(without).problems == 1, "it is still known how many there were"
