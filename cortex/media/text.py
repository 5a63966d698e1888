"""Bytes to text, with the encoding they are most likely in."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from cortex.media.legacy import legacy_encoding

_LOOK = 4096


class Text(NamedTuple):
    """`encoding` is the name of Python's codec, such as `utf-8`, `utf-16-le` or `cp1252`."""

    text: str
    encoding: str


_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


def decode(data: bytes) -> Text:
    """By its byte order mark; else as UTF-8 when it is valid, as UTF-16 when every second byte is mostly zero, as a
    Cyrillic or Japanese encoding that it looks like, else as Windows-1252, and ISO 8859-1 where that has no character.
    What does not fit the mark is replaced by U+FFFD."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return Text(data[len(mark) :].decode(encoding, "replace"), encoding)
    # Before UTF-8, which zeros are valid in.
    if (wide := _wide(data[:_LOOK])) is not None:
        return Text(data.decode(wide, "replace"), wide)
    try:
        return Text(data.decode("utf-8"), "ascii" if data.isascii() else "utf-8")
    except UnicodeDecodeError:
        pass
    for encoding in (legacy_encoding(data[:_LOOK]) or "cp1252", "cp1252"):
        with suppress(UnicodeDecodeError):
            return Text(data.decode(encoding), encoding)
    return Text(data.decode("latin-1"), "latin-1")


def count_words(text: str) -> int:
    """Runs of characters between white space, counted in pieces so that no list of all words is made."""
    piece = 1 << 16
    words = 0
    for start in range(0, len(text), piece):
        words += len(text[start : start + piece].split())
        if start and not text[start].isspace() and not text[start - 1].isspace():
            words -= 1
    return words


def _wide(start: bytes) -> str | None:
    even, odd = start[0::2], start[1::2]
    if len(odd) > 4 and odd.count(0) >= 0.9 * len(odd):
        return "utf-16-le"
    return "utf-16-be" if len(odd) > 4 and even.count(0) >= 0.9 * len(even) else None
