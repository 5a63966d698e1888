from __future__ import annotations

from typing import Any

import msgspec
import pytest
from PIL.TiffImagePlugin import IFDRational

from cortex.media.values import clean_text, plain


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("text\0rest", "text"),
        ("lone \ud800 surrogate", "lone ? surrogate"),
        (b"ASCII\0\0\0a comment", "a comment"),
        (b"\1\2\3", "01 02 03"),
        (b"\1" * 100, "100 bytes"),
        (IFDRational(1, 4), 0.25),
        (IFDRational(1, 0), None),
        (float("nan"), None),
        (2**70, str(2**70)),
        ((1, (2, b"x")), [1, [2, "x"]]),
        ({1: {2: {3: {4: {5: 6}}}}}, {"1": {"2": {"3": {"4": None}}}}),
        (object(), None),
        (True, True),
    ],
)
def test_everything_becomes_json(value: Any, wanted: Any) -> None:
    assert plain(value) == wanted
    msgspec.json.encode(plain(value))


def test_long_things_are_cut() -> None:
    assert len(plain("x" * 10_000)) == 4096
    assert len(plain(tuple(range(10_000)))) == 256


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("  a\x07b\x9f ", "ab"),
        ("two\nlines", "two\nlines"),
        ("\0", None),
        ("   ", None),
        (7, None),
        (b"\xff", "\ufffd"),
    ],
)
def test_clean_text(value: Any, wanted: str | None) -> None:
    assert clean_text(value) == wanted
