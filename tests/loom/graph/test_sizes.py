from __future__ import annotations

from typing import Any

import pytest

from loom.graph.sizes import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (0, 0), (1024, 1024), ("7", 7), ("7B", 7), ("64k", 65_536), ("10MB", 10 * 1024**2), ("10 MiB", 10 * 1024**2),
        (" 1.5 gb ", 1_610_612_736), ("2T", 2 * 1024**4), ("8388607 T", (2**23 - 1) * 1024**4),
    ],
)  # fmt: skip
def test_sizes_are_read_in_units_of_1024(text: Any, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "MB", "-1", -1, "1 PB", "1e3", "1,5MB", "10 M i B", True, None, 1.5, 2**63, "9999999T"]
)
def test_what_is_no_size_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="size"):
        parse_size(text)
