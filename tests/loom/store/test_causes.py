"""What a failure is like."""

from __future__ import annotations

import pytest

from loom.store.causes import cause_of, like

ALIKE = {
    "cannot identify image file #": ["cannot identify image file '/a/b c.jpg'", 'cannot identify image file "x"'],
    "reading failed: #: Input/output error": [
        "reading failed: /mnt/my disk/a photo 1.jpg: Input/output error", "reading failed: ~/x: Input/output error",
    ],
    "the picture has # pixels": ["the picture has 640x480 pixels", "the picture has 12,345 pixels"],
    "took longer than the # s it may": ["took longer than the 2.5 s it may", "took  longer than\nthe 10 s it may"],
    "bad block # at #": ["bad block 0xFFEE at 12", "bad block deadbeef01 at -3"],
    "asset # is gone": ["asset 019f2c3d-1234-8abc-9def-001122334455 is gone"],
    "# said #": ["https://example.org/a?b=1 said 503"],
    "bytes # are no name": ["bytes b'\\x00\\xff' are no name"],
}  # fmt: skip


@pytest.mark.parametrize(("alike", "message"), [(key, one) for key, some in ALIKE.items() for one in some])
def test_what_belongs_to_one_file_is_left_away(alike: str, message: str) -> None:
    assert like(message) == alike
    assert cause_of(message) == cause_of(alike)


@pytest.mark.parametrize(
    "message",
    [
        "no decoder for image/jxl is installed",
        "MP3 and H264 can't be muxed",
        "`crop` is wrong",
        "and/or",
        "facade: it's",
    ],
)
def test_what_tells_causes_apart_stays(message: str) -> None:
    assert like(message) == message


def test_a_cause_is_short_and_is_there_without_a_message() -> None:
    assert len(cause_of(None)) == len(cause_of("\udcff" * 5000)) == 12
    assert cause_of(None) == cause_of("")
