"""Sizes in bytes as people write them."""

from __future__ import annotations

import re

_UNITS = {"": 1, "B": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_SIZE = re.compile(r"\s*(\d{1,18}(?:\.\d{1,9})?)\s*(?:([KMGT])(?:I?B)?|B)?\s*", re.IGNORECASE | re.ASCII)


def parse_size(text: int | str) -> int:
    """Bytes of `1024`, `"1.5MB"`, `"10 GiB"`, `"64k"`: units are powers of 1024 with or without the `i`. Raises
    `ValueError` for anything else, negative numbers and more than 2^63 - 1 bytes."""
    if isinstance(text, bool) or not isinstance(text, (int, str)):
        raise ValueError("a size is a number of bytes or text such as 10MB")
    if isinstance(text, str):
        found = _SIZE.fullmatch(text)
        if found is None:
            raise ValueError(f"{text[:40]!r} is not a size such as 1024 or 10MB")
        size = int(float(found[1]) * _UNITS[(found[2] or "").upper()]) if "." in found[1] else _whole(found)
    else:
        size = text
    if not 0 <= size < 2**63:
        raise ValueError("a size lies between 0 and 2^63 - 1 bytes")
    return size


def _whole(found: re.Match[str]) -> int:
    return int(found[1]) * _UNITS[(found[2] or "").upper()]
