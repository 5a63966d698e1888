"""What a report leaves in the row of a result, column by column, on both databases."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from ledgers import STEPS, begin, digest, done, failed, report
from sqlalchemy import select

from loom.model import AssetReport, Branch, State, StoredResult
from loom.service import LocalLoom
from loom.steering import Selection
from loom.store.tables import results
from loom.store.values import COMPLETED, FAILED, verdict_code

NOTHING_FAILED = (COMPLETED, verdict_code(Branch.PASS), None, None, None)
WITHOUT_VERDICT = StoredResult(STEPS[0].signature, State.COMPLETED, None, b"{}")


def rows(loom: LocalLoom) -> list[tuple[Any, ...]]:
    at = results.c
    wanted = (at.state, at.verdict, at.error_code, at.error_message, at.aside)
    with loom._database.read() as connection:
        return [tuple(row) for row in connection.execute(select(*wanted).order_by(at.asset, at.signature))]


def reported(content: str, *given: StoredResult) -> AssetReport:
    return report(content, results=given)


def test_a_completed_result_clears_all_that_a_failed_one_had(each: LocalLoom) -> None:
    run = begin(each)
    rejected = StoredResult(STEPS[0].signature, State.FAILED, Branch.FAIL, b"{}", (), "FILE_DAMAGED", "broken", 10)
    each.report(run, [reported("a", rejected)])
    assert rows(each) == [(FAILED, verdict_code(Branch.FAIL), "FILE_DAMAGED", "broken", None)]
    each.report(run, [reported("a", WITHOUT_VERDICT)])
    assert rows(each) == [(COMPLETED, verdict_code(None), None, None, None)]


def test_a_failed_result_leaves_a_completed_one_as_it_is(each: LocalLoom) -> None:
    run = begin(each)
    each.report(run, [reported("a", done(0, b'{"n":1}'))])
    each.report(run, [reported("a", failed(0))])
    assert rows(each) == [NOTHING_FAILED]
    assert each.lookup([digest("a")], [STEPS[0].signature])[0].results == (done(0, b'{"n":1}'),)


def test_both_kinds_in_one_report_are_each_stored(each: LocalLoom) -> None:
    run = begin(each)
    each.report(run, [reported("a", failed(0), done(1)), reported("b", done(0), failed(1, "FILE_EMPTY", "nothing"))])
    broken, empty = ((FAILED, None, *why, None) for why in (("FILE_DAMAGED", "broken"), ("FILE_EMPTY", "nothing")))
    assert Counter(rows(each)) == Counter((broken, NOTHING_FAILED, NOTHING_FAILED, empty))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_results_in_one_report_the_completed_one_stays(each: LocalLoom, order: tuple[int, int]) -> None:
    both = (failed(0), done(0))
    each.report(begin(each), [reported("a", *(both[one] for one in order))])
    assert rows(each) == [NOTHING_FAILED]


def test_since_when_a_failure_is_left_is_kept(each: LocalLoom) -> None:
    run = begin(each)
    each.report(run, [reported("a", failed(0))])
    assert each.set_aside(Selection()) == 1
    ((*_, since),) = rows(each)
    assert since is not None
    each.report(run, [reported("a", failed(0, "FILE_EMPTY", "nothing"))])
    assert rows(each) == [(FAILED, None, "FILE_EMPTY", "nothing", since)]
    each.report(run, [reported("a", done(0))])
    assert rows(each) == [(*NOTHING_FAILED[:4], since)]
