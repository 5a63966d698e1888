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


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r"])
def test_russian(encoding: str) -> None:
    text = "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему (1)."
    assert decode(text.encode(encoding)) == (text, encoding)


@pytest.mark.parametrize("encoding", ["cp932", "euc-jp"])
def test_japanese(encoding: str) -> None:
    text = "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。 (1)\n" * 300
    assert decode(text.encode(encoding)) == (text, encoding)


@pytest.mark.parametrize(
    "text", ["Grüße aus Köln, ÄÖÜ", "déjà vu à la carte", "Hyvää päivää, pääsääntö", "œuvre naïve « là »"]
)
def test_latin_letters_stay_latin(text: str) -> None:
    assert decode(text.encode("cp1252")) == (text, "cp1252")


def test_every_sequence_of_bytes_is_some_text() -> None:
    assert decode(b"plain").encoding == "ascii"
    assert decode(bytes(range(1, 256))).encoding == "latin-1"
    assert decode(b"\xff\xfea").text == "\ufffd"


def test_words_are_counted_over_the_seams_of_pieces() -> None:
    text = "word " * 50_000 + "x" * 200_000
    assert count_words(text) == len(text.split())
    assert count_words("") == 0
    assert count_words(" " * 70_000) == 0
