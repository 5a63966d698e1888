from __future__ import annotations

from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from cortex.node import NodeContext
from cortex.operators.filters.kinds import MediaFilter, MimeFilter, SizeFilter
from cortex.testing import run_operator
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


def test_types_of_real_files(real_image, real_video, real_audio):
    pictures = MimeFilter(types=["IMAGE/*"], besides=["image/gif"])
    assert run_operator(pictures, real_image).verdict is Branch.PASS
    assert run_operator(pictures, real_audio).reason == "the type is audio/flac, not IMAGE/*"
    assert (
        run_operator(MimeFilter(besides=["video/*"]), real_video).reason == "the type is video/mp4, which is left out"
    )
    assert run_operator(MimeFilter(), real_video).verdict is Branch.PASS


def test_the_type_of_a_broken_file_is_what_its_beginning_tells(broken_files):
    passed = [path.name for path in broken_files if run_operator(MimeFilter(types=["image/*"]), path).verdict == "PASS"]
    assert passed == ["holes.jpg", "short.jpg"]


def test_sizes_of_real_files(real_image, real_video):
    exactly = real_image.stat().st_size
    assert run_operator(SizeFilter(min=exactly, max=exactly), real_image).verdict is Branch.PASS
    assert (
        run_operator(SizeFilter(min=exactly + 1), real_image).reason == f"{exactly} bytes are fewer than {exactly + 1}"
    )
    assert run_operator(SizeFilter(max="1MB"), real_video).verdict is Branch.FAIL


def test_a_broken_file_has_a_size(broken_files):
    assert {run_operator(SizeFilter(min=1), path).verdict for path in broken_files} == {Branch.PASS}


@pytest.mark.parametrize("options", [{"types": []}, {"types": [1]}, {"kinds": ["image"]}])
def test_wrong_types_are_refused(options):
    with pytest.raises(ValidationError):
        MimeFilter(**options)


@pytest.mark.parametrize("options", [{}, {"min": 2, "max": 1}, {"min": "few"}, {"max": -1}])
def test_wrong_sizes_are_refused(options):
    with pytest.raises(ValidationError):
        SizeFilter(**options)
