from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loom import layers
from loom.errors import LoomError


@pytest.mark.parametrize(
    ("read", "raw", "value"),
    [
        (layers.text, "a", "a"),
        (layers.names, "a, b,,", ("a", "b")),
        (layers.names, ["a", "b"], ("a", "b")),
        (layers.flag, "Yes", True),
        (layers.flag, "off", False),
        (layers.flag, True, True),
        (layers.whole(1, 10), " 7", 7),
        (layers.whole(-5, 10), "-5", -5),
        (layers.seconds, "1.5", 1.5),
        (layers.seconds, 60, 60.0),
        (layers.size, "2MB", 2 * 1024**2),
        (layers.one_of("a", "b"), "b", "b"),
        (layers.folder, "x/../y", Path("/base/y")),
        (layers.folder, "/abs", Path("/abs")),
    ],
)
def test_values_are_read(read: Any, raw: Any, value: Any) -> None:
    assert read(raw, Path("/base")) == value


@pytest.mark.parametrize(
    ("read", "raw"),
    [
        (layers.text, ""), (layers.text, 3), (layers.names, 3), (layers.names, [3]), (layers.flag, "maybe"),
        (layers.flag, 1), (layers.whole(1, 10), 0), (layers.whole(1, 10), "11"), (layers.whole(1, 10), True),
        (layers.whole(1, 10), "1.5"), (layers.whole(1, 10), "9" * 5000), (layers.seconds, 0), (layers.seconds, "soon"),
        (layers.seconds, "nan"), (layers.seconds, True), (layers.size, "big"), (layers.one_of("a"), "b"),
        (layers.folder, ""), (layers.folder, 3), (layers.folder, "~nobody-of-that-name/x"),
    ],
)  # fmt: skip
def test_values_of_the_wrong_form_are_refused(read: Any, raw: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read(raw, Path("/base"))


def test_folders_follow_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    assert layers.data_folder({"XDG_DATA_HOME": "/d"}) == Path("/d")
    assert layers.data_folder({"HOME": "/h", "XDG_DATA_HOME": "relative"}) == Path("/h/.local/share")
    assert layers.cache_folder({"HOME": "/h"}) == Path("/h/.cache")
    assert layers.config_folder({"HOME": "/h"}) == Path("/h/.config/loom")
    monkeypatch.setattr("sys.platform", "darwin")
    assert layers.data_folder({"HOME": "/h"}) == Path("/h/Library/Application Support")
    assert layers.cache_folder({"HOME": "/h"}) == Path("/h/Library/Caches")


def test_an_error_is_a_setting_that_is_invalid() -> None:
    assert LoomError("CONFIG_INVALID").exit_code == 2
