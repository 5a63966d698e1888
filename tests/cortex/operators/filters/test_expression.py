from __future__ import annotations

from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from cortex.node import NodeContext
from cortex.operators.filters.expression import ExpressionFilter
from loom.errors import LoomError
from loom.model import Branch, Kind

PHOTO = SimpleNamespace(kind=Kind.IMAGE, mime="image/jpeg", size=1000)


def verdict(expression, **upstream):
    ctx = NodeContext("filter", upstream)
    ExpressionFilter(expression=expression).compute(ctx, PHOTO)
    return ctx.result_verdict, ctx.verdict_reason


def test_it_looks_at_outputs_and_at_the_media():
    expression = (
        'metadata.width >= 1920 and media.kind == "image" and media.mime == "image/jpeg" and media.size == 1000'
    )
    assert verdict(expression, metadata={"width": 1920}) == (Branch.PASS, None)
    assert verdict(expression, metadata={"width": 1919}) == (Branch.FAIL, f"this does not hold: {expression}")


def test_a_node_that_was_skipped_gives_null():
    assert verdict("metadata.width == null", metadata=None)[0] is Branch.PASS


def test_a_node_that_does_not_stand_before_it_is_an_error():
    with pytest.raises(LoomError) as error:
        verdict("other.width == null", metadata={})
    assert error.value.code == "OPERATOR_FAILED"


@pytest.mark.parametrize("options", [{}, {"expression": ""}, {"expression": "a.b ="}, {"expression": 1}])
def test_wrong_expressions_are_refused(options):
    with pytest.raises(ValidationError):
        ExpressionFilter(**options)


SIZES = [
    {"name": "small", "when": "media.size < 1kB"},
    {"name": "wide", "when": "metadata.width > 9 or media.size < 2"},
]


@pytest.mark.parametrize(
    ("size", "width", "bucket", "branch"),
    [(1, 10, "small", Branch.PASS), (2000, 10, "wide", Branch.PASS), (2000, 9, "other", Branch.FAIL)],
)
def test_the_first_bucket_that_fits_gets_the_asset(size, width, bucket, branch):
    node = ExpressionFilter(buckets=SIZES)
    assert node.named_nodes() == ("metadata",)
    ctx = NodeContext("sizes", {"metadata": {"width": width}})
    node.compute(ctx, SimpleNamespace(kind=Kind.IMAGE, mime="image/jpeg", size=size))
    assert (ctx.outputs, ctx.result_verdict) == ({"bucket": bucket}, branch)


def test_an_expression_gives_no_bucket():
    ctx = NodeContext("filter", {})
    ExpressionFilter(expression="media.size == 0").compute(ctx, PHOTO)
    assert (ctx.outputs, ctx.result_verdict) == ({}, Branch.FAIL)


@pytest.mark.parametrize(
    "options",
    [
        {"expression": "true", "buckets": SIZES},
        {"buckets": []},
        {"buckets": [SIZES[0], SIZES[0]]},
        {"buckets": [{"name": "other", "when": "true"}]},
        {"buckets": [{"name": "out", "when": "true"}]},
        {"buckets": [{"name": "Small", "when": "true"}]},
        {"buckets": [{"name": "small", "when": "a.b ="}]},
        {"buckets": {"small": "true"}},
    ],
)
def test_wrong_buckets_are_refused(options):
    with pytest.raises(ValidationError):
        ExpressionFilter(**options)
