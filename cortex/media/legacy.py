"""Older encodings of text in other scripts than Latin, told by what the text would say in them."""

from __future__ import annotations

import codecs
import re

_CYRILLIC = ("cp1251", "koi8-r")
_JAPANESE = ("cp932", "euc-jp")
_CYRILLIC_WORDS = re.compile(r"[А-яЁё]{2,}")
_COMMON = frozenset("оеаинтсрвОЕАИНТСРВ")
"""Three in five letters of a Russian text; in the wrong encoding of the two it is one in three."""
_KANA = re.compile(r"[\u3041-\u30ff]")
_OF_JAPANESE = re.compile(r"[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff5e]")


def legacy_encoding(start: bytes) -> str | None:
    """The encoding, by the name of Python's codec, of text that begins with these bytes and is no UTF-8: Windows-1251,
    KOI8-R, Shift-JIS (as Windows has it) or EUC-JP. None when it is none of them."""
    likeness = {codec: _like_russian(start, codec) for codec in _CYRILLIC}
    best = max(likeness, key=lambda codec: likeness[codec])
    if likeness[best] >= 0.4:
        return best
    return next((codec for codec in _JAPANESE if _is_japanese(start, codec)), None)


def _like_russian(start: bytes, codec: str) -> float:
    """How many of the letters are common ones, 0 to 1; 0 for what is no text of words."""
    text = start.decode(codec, "replace")
    foreign = sum(not character.isascii() for character in text)
    words = "".join(_CYRILLIC_WORDS.findall(text))
    if len(words) < 4 or len(words) < 0.8 * foreign:
        return 0.0
    return sum(letter in _COMMON for letter in words) / len(words)


def _is_japanese(start: bytes, codec: str) -> bool:
    """Whether nearly all beyond ASCII is Japanese writing, and a good part of that kana."""
    try:  # the last character may be cut
        text = codecs.getincrementaldecoder(codec)().decode(start)
    except UnicodeDecodeError:
        return False
    foreign = sum(not character.isascii() for character in text)
    writing, kana = len(_OF_JAPANESE.findall(text)), len(_KANA.findall(text))
    return writing >= 4 and writing >= 0.95 * foreign and kana >= 0.2 * writing
