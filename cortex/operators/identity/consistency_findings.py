"""What is wrong with a file, and where."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

ReadAt = Callable[[int, int], bytes]
"""At most so many bytes from an offset on: `read_at(offset, count)`."""

MOST = 100
"""So many findings are told at most; damage that is everywhere is told by its first places."""


class Finding(NamedTuple):
    """`code` is one of `CODES`, `where` a place a person can go to: `byte 1234`, `12.5 s`, a name; empty for the
    whole."""

    code: str
    sentence: str
    where: str = ""

    def told(self) -> dict[str, str]:
        return {"code": self.code, "sentence": self.sentence, "where": self.where}


CODES = {
    "empty": "The file is empty.",
    "unreadable": "Nothing of it can be decoded.",
    "truncated": "It ends before its content does.",
    "index-missing": "The index without which players cannot find their way is missing.",
    "end-missing": "The mark that ends a complete file is missing.",
    "structure": "Something stands where a part of the format should begin.",
    "checksum": "A checksum in the file is not that of what it stands for.",
    "damaged": "Something cannot be decoded.",
    "patched": "The decoder had to make up parts of pictures or sound.",
    "zeros": "4,096 or more zero bytes in a row stand in compressed data.",
    "too-short": "There is less than the file declares.",
}
"""What can be found, with its meaning."""


def at_byte(offset: int) -> str:
    return f"byte {offset}"


def at_second(seconds: float) -> str:
    return f"{seconds:.2f} s"
