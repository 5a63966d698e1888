from __future__ import annotations

import pytest

from cortex.sources.roots import at_and_above, inner_first, is_at_or_below, join


@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [
        (b"/a/b", b"/a", True),
        (b"/a", b"/a", True),
        (b"/a", b"/a/", True),
        (b"/ab", b"/a", False),
        (b"/a", b"/a/b", False),
        (b"/a", b"/", True),
        (b"/", b"/", True),
        (b"/", b"/a", False),
    ],
)
def test_what_lies_at_or_below_a_folder(path: bytes, folder: bytes, expected: bool) -> None:
    assert is_at_or_below(path, folder) is expected


def test_paths_are_joined_and_taken_apart() -> None:
    assert (join(b"/", b"a"), join(b"/a", b"b")) == (b"/a", b"/a/b")
    assert list(at_and_above(b"/a/b")) == [b"/a/b", b"/a", b"/"]
    assert list(at_and_above(b"/")) == [b"/"]


def test_inner_ones_come_before_those_they_lie_in() -> None:
    assert inner_first([b"/", b"/a", b"/x", b"/a/b/c"]) == [b"/a/b/c", b"/a", b"/x", b"/"]
