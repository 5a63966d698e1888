"""Of which process pipelines something is known, with a clock of the test's own."""

from __future__ import annotations

from uuid import UUID

import pytest
from processreports import process_pipeline

from loom.errors import LoomError
from loom.service.knownprocesses import KnownProcesses
from loom.verbs.processes import FORGOTTEN_AFTER_END_S, FORGOTTEN_AFTER_S, MOST_PIPELINES, SILENT_AFTER_S

ONE, TWO = UUID(int=1), UUID(int=2)
HEARD_US = 1_795_253_405_000_000


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def silent(known: KnownProcesses) -> dict[UUID, bool]:
    return {one.run: one.silent for one in known.shapes()}


def test_one_that_is_not_heard_of_is_silent_until_it_is_heard_of_again() -> None:
    clock = Clock()
    known = KnownProcesses(clock)
    known.hear(process_pipeline(ONE), HEARD_US)
    known.hear(process_pipeline(TWO, state="ENDED"), HEARD_US)
    clock.now += SILENT_AFTER_S - 0.1
    assert silent(known) == {ONE: False, TWO: False}
    clock.now += 0.1
    assert silent(known) == {ONE: True, TWO: False}, "of one that has ended nothing more is expected"
    assert known.shape(ONE).silent
    assert known.shape(ONE).heard == "2026-11-21T09:30:05.000Z"
    known.hear(process_pipeline(ONE), HEARD_US)
    assert silent(known) == {ONE: False, TWO: False}


def test_after_a_while_it_is_forgotten() -> None:
    clock = Clock()
    known = KnownProcesses(clock)
    known.hear(process_pipeline(ONE), HEARD_US)
    known.hear(process_pipeline(TWO, state="FAILED"), HEARD_US)
    clock.now += FORGOTTEN_AFTER_S - 0.1
    assert [*silent(known)] == [ONE, TWO]
    clock.now += 0.1
    assert [*silent(known)] == [TWO]
    with pytest.raises(LoomError, match="There is no process pipeline"):
        known.shape(ONE)
    clock.now += FORGOTTEN_AFTER_END_S - FORGOTTEN_AFTER_S - 0.1
    assert [*silent(known)] == [TWO]
    clock.now += 0.1
    assert silent(known) == {}
    known.hear(process_pipeline(TWO), HEARD_US)
    assert known.shape(TWO).state == "RUNNING", "nobody remembers that it had ended"


def test_one_that_is_silent_makes_room() -> None:
    clock = Clock()
    known = KnownProcesses(clock)
    for number in range(MOST_PIPELINES):
        known.hear(process_pipeline(UUID(int=number), tasks=[], streams=[]), HEARD_US)
    clock.now += SILENT_AFTER_S
    for number in range(1, MOST_PIPELINES):
        known.hear(process_pipeline(UUID(int=number), tasks=[], streams=[]), HEARD_US)
    known.hear(process_pipeline(UUID(int=1000), tasks=[], streams=[]), HEARD_US)
    assert silent(known) == {UUID(int=number): False for number in (*range(1, MOST_PIPELINES), 1000)}
