from __future__ import annotations

from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from cortex.node import NodeContext
from cortex.operators.expression import ExpressionFilter
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
