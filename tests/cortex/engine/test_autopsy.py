import signal

import pytest
from sandboxes import item

from cortex.engine.autopsy import MAX_DEATHS, MAX_LOSSES, Cause, Court, cause_of
from cortex.engine.board import READING, WALKING, Page
from cortex.engine.records import Blame

CRASH = Cause("WORKER_CRASHED", "it died")


def page(step: int = 2, *, stage: int = WALKING, phase: str = "") -> Page:
    return Page(token=1, lane=0, step=step, deadline=105.0, since=100.0, stage=stage, fraction=0.0, phase=phase)


@pytest.mark.parametrize(
    ("status", "overdue", "out_of_memory", "code", "said"),
    [
        (-signal.SIGKILL, True, False, "TIMED_OUT", "5 s"),
        (-signal.SIGALRM, False, False, "TIMED_OUT", "5 s"),
        (-signal.SIGXCPU, False, False, "TIMED_OUT", "processor"),
        (-signal.SIGKILL, False, True, "WORKER_CRASHED", "out of memory"),
        (-signal.SIGSEGV, False, False, "WORKER_CRASHED", "SIGSEGV"),
        (3, False, False, "WORKER_CRASHED", "exit code 3"),
    ],
)
def test_the_cause_is_told_in_words(status: int, overdue: bool, out_of_memory: bool, code: str, said: str) -> None:
    cause = cause_of(status, page(), overdue=overdue, out_of_memory=out_of_memory)
    assert cause.code == code
    assert said in cause.message


def test_the_second_death_at_the_same_step_blames_the_step() -> None:
    court = Court()
    first = court.accuse(item(1), page(), CRASH)
    assert (first.alone, first.walked, first.item.blamed) == (True, None, ())
    second = court.accuse(first.item, page(), CRASH)
    assert second.alone
    assert second.item.blamed == (Blame(0, 2, "", *CRASH),)


def test_deaths_at_two_steps_are_two_suspicions() -> None:
    court = Court()
    court.accuse(item(1), page(2), CRASH)
    assert court.accuse(item(1), page(3), CRASH).item.blamed == ()
    assert court.accuse(item(1), page(2), CRASH).item.blamed == (Blame(0, 2, "", *CRASH),)


def test_a_phase_is_blamed_instead_of_the_step_that_needed_it_first() -> None:
    court = Court()
    court.accuse(item(1), page(2, phase="image"), CRASH)
    assert court.accuse(item(1), page(5, phase="image"), CRASH).item.blamed == (Blame(0, -1, "image", *CRASH),)


def test_a_file_that_kills_while_it_is_read_is_given_up() -> None:
    court = Court()
    court.accuse(item(1), page(-1, stage=READING, phase="read"), CRASH)
    given_up = court.accuse(item(1), page(-1, stage=READING, phase="read"), CRASH).walked
    assert given_up is not None
    assert given_up.failure == tuple(CRASH)


def test_a_file_that_kills_in_spite_of_the_blame_is_given_up() -> None:
    court = Court()
    verdict = court.accuse(item(1), page(), CRASH)
    verdict = court.accuse(verdict.item, page(), CRASH)
    assert court.accuse(verdict.item, page(), CRASH).walked is not None


def test_no_file_costs_workers_without_end() -> None:
    court = Court()
    verdicts = [court.accuse(item(1), page(step), CRASH) for step in range(MAX_DEATHS)]
    assert [verdict.walked is not None for verdict in verdicts] == [False] * (MAX_DEATHS - 1) + [True]
    verdicts = [court.lost(item(2), CRASH) for _ in range(MAX_DEATHS)]
    assert [verdict.walked is not None for verdict in verdicts] == [False] * (MAX_DEATHS - 1) + [True]


def test_a_file_that_is_lost_again_and_again_is_tried_alone() -> None:
    court = Court()
    assert [court.lost(item(1), CRASH).alone for _ in range(MAX_LOSSES)] == [False] * (MAX_LOSSES - 1) + [True]


def test_a_case_is_closed_with_its_file() -> None:
    court = Court()
    court.accuse(item(1), page(), CRASH)
    court.close(1)
    assert court.accuse(item(1), page(), CRASH).item.blamed == ()
