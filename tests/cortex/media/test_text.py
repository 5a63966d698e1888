from __future__ import annotations

import pytest

from cortex.media.text import count_words, decode

WORDS = "Grüße aus Köln, 5 €"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (WORDS.encode(), "utf-8"),
        (b"\xef\xbb\xbf" + WORDS.encode(), "utf-8"),
        (b"\xff\xfe" + WORDS.encode("utf-16-le"), "utf-16-le"),
        (b"\xfe\xff" + WORDS.encode("utf-16-be"), "utf-16-be"),
        (b"\xff\xfe\0\0" + WORDS.encode("utf-32-le"), "utf-32-le"),
        (WORDS.encode("utf-16-le"), "utf-16-le"),
        (WORDS.encode("utf-16-be"), "utf-16-be"),
        (WORDS.encode("cp1252"), "cp1252"),
    ],
)
def test_encodings(data: bytes, encoding: str) -> None:
    assert decode(data) == (WORDS, encoding)


def test_every_sequence_of_bytes_is_some_text() -> None:
    assert decode(b"plain").encoding == "ascii"
    assert decode(bytes(range(1, 256))).encoding == "latin-1"
    assert decode(b"\xff\xfea").text == "\ufffd"


def test_words_are_counted_over_the_seams_of_pieces() -> None:
    text = "word " * 50_000 + "x" * 200_000
    assert count_words(text) == len(text.split())
    assert count_words("") == 0
    assert count_words(" " * 70_000) == 0
