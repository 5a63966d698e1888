from __future__ import annotations

from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from cortex.node import NodeContext
from cortex.operators.filters import MediaFilter
from loom.model import Branch, Kind

PHOTO = SimpleNamespace(kind=Kind.IMAGE, mime="image/jpeg", size=1000)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, None),
        ({"kinds": ["image"]}, None),
        ({"kinds": {"image", "video"}}, None),
        ({"kinds": ["video", "audio"]}, "the kind is image, not video or audio"),
        ({"mime": ["image/*"]}, None),
        ({"mime": ["IMAGE/JPEG"]}, None),
        ({"mime": ["video/*", "image/png"]}, "the type is image/jpeg, not video/* or image/png"),
        ({"min_size": 1000, "max_size": 1000}, None),
        ({"min_size": "1kB"}, "1000 bytes are fewer than 1024"),
        ({"max_size": 999}, "1000 bytes are more than 999"),
        ({"kinds": ["image"], "max_size": 1}, "1000 bytes are more than 1"),
    ],
)
def test_the_verdict_says_what_speaks_against_a_file(options, reason):
    ctx = NodeContext("filter", {})
    MediaFilter(**options).compute(ctx, PHOTO)
    assert ctx.verdict_reason == reason
    assert ctx.result_verdict is (Branch.PASS if reason is None else Branch.FAIL)


@pytest.mark.parametrize(
    "options",
    [{"kinds": ["picture"]}, {"min_size": -1}, {"min_size": 2, "max_size": 1}, {"max_size": "many"}, {"size": 1}],
)
def test_wrong_options_are_refused(options):
    with pytest.raises(ValidationError):
        MediaFilter(**options)
