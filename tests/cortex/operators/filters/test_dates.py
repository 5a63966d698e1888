from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from cortex.catalogue import load
from cortex.operators.filters.dates import DateFilter
from cortex.operators.metadata.metadata import Metadata
from cortex.testing import run_operator
from loom.model import Branch

TAKEN = "2024-05-17T14:03:21.250+02:00"


def verdict(path, taken, **options):
    found = run_operator(DateFilter(**options), path, upstream={"metadata": {"captured_at": taken}})
    return found.verdict, found.reason


def test_the_capture_time_of_a_real_photograph(media, real_image):
    found = run_operator(Metadata(), media.photo()).outputs
    assert found["captured_at"] == TAKEN
    year = DateFilter(after="2024-01-01", before="2025-01-01")
    assert run_operator(year, media.photo(), upstream={"metadata": found}).verdict is Branch.PASS
    bare = run_operator(Metadata(), real_image).outputs
    assert (
        run_operator(year, real_image, upstream={"metadata": bare}).reason == "there is no date in metadata.captured_at"
    )


@pytest.mark.parametrize(
    ("options", "passes"),
    [
        ({"after": "2024-05-17"}, True),
        ({"after": "2024-05-18"}, False),
        ({"before": "2024-05-17"}, False),
        ({"before": "2024-05-18"}, True),
        ({"after": "2024-05-17T14:00:00"}, True),
        ({"after": "2024-05-17T12:03:21Z"}, True),
        ({"after": "2024-05-17T12:03:22Z"}, False),
        ({"min_age_days": 1, "as_of": "2024-05-18"}, True),
        ({"min_age_days": 2, "as_of": "2024-05-18"}, False),
        ({"max_age_days": 30, "as_of": "2024-06-16"}, True),
        ({"max_age_days": 30, "as_of": "2024-06-17"}, False),
        ({"min_age_days": 0, "as_of": "2024-05-01"}, False),
    ],
)
def test_bounds(real_image, options, passes):
    assert (verdict(real_image, TAKEN, **options)[0] is Branch.PASS) is passes


def test_a_time_without_an_offset(real_image):
    assert verdict(real_image, "2024-05-17T14:03:21", after="2024-05-17T14:03:21Z")[0] is Branch.PASS
    assert verdict(real_image, "2024-05-17T14:03:20", after="2024-05-17T14:03:21Z")[0] is Branch.FAIL


def test_the_reason_says_both(real_image):
    assert (
        verdict(real_image, TAKEN, before="2024-05-17")[1]
        == "2024-05-17T14:03:21.250000+02:00 is not before 2024-05-17"
    )
    assert verdict(real_image, TAKEN, max_age_days=3, as_of="2024-05-27")[1] == "10 days are more than 3"


@pytest.mark.parametrize("taken", [None, "yesterday", 2024, "0000-00-00", ["2024-05-17"]])
def test_what_has_no_date_gets_the_verdict_that_was_asked_for(broken_files, taken):
    for path in broken_files:
        assert verdict(path, taken, after="2000-01-01")[0] is Branch.FAIL
        assert verdict(path, taken, after="2000-01-01", missing="PASS")[0] is Branch.PASS


def test_another_value_may_be_looked_at(real_image):
    node = DateFilter(value="archive.dates.shown", after="2020-01-01")
    assert node.named_nodes() == ("archive",)
    assert (
        run_operator(node, real_image, upstream={"archive": {"dates": {"shown": "2021-02-03"}}}).verdict is Branch.PASS
    )


def test_a_verdict_about_an_age_is_kept_for_a_day_and_one_about_a_date_forever():
    config, problems = load().normalise("filter.date", {"max_age_days": 30})
    assert problems == ()
    assert abs((datetime.now(UTC).date() - datetime.fromisoformat(config["as_of"]).date()).days) <= 1
    assert load().normalise("filter.date", config)[0] == config
    assert load().normalise("filter.date", {"after": "2024-01-01"})[0]["as_of"] is None


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"as_of": "2024-01-01"},
        {"after": "May"},
        {"after": "2024-01-01", "before": "2024-01-01"},
        {"min_age_days": 3, "max_age_days": 2},
        {"min_age_days": -1},
        {"max_age_days": 3, "as_of": "2024-01-01T00:00"},
        {"after": "2024-01-01", "value": "captured_at"},
        {"after": "2024-01-01", "missing": "ERROR"},
    ],
)
def test_wrong_options_are_refused(options):
    with pytest.raises(ValidationError):
        DateFilter(**options)
