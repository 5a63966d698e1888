"""What a failure is like: its message without all that belongs to one file alone."""

from __future__ import annotations

import re
from functools import lru_cache

from blake3 import blake3

_MOST = 500
"""Characters of a message that are looked at."""

_PATH = r"""(?<![\w./])~?\.{0,2}/(?:[^:\n'"]*?\.\w{1,5}(?![\w./])|[^\s,;:'"()]*)"""
_QUOTED = r"""(?<!\w)b?(?:'[^'\n]*'|"[^"\n]*"|‘[^’\n]*’|“[^”\n]*”|«[^»\n]*»)(?!\w)"""
_HEX = r"(?<!\w)(?:0[xX][0-9a-fA-F]+|(?=[0-9a-fA-F-]*\d)[0-9a-fA-F]{8,}(?:-[0-9a-fA-F]{4,}){0,4})(?!\w)"
_NUMBER = r"(?<![A-Za-z_0-9])[-+]?\d+(?:[.,:×x]\d+)*"
_OF_ONE_FILE = re.compile("|".join(f"(?:{one})" for one in (_QUOTED, r"\w+://\S+", _PATH, _HEX, _NUMBER)))
_SPACE = re.compile(r"\s+")


def like(message: str) -> str:
    """The message with a `#` for each quoted text, address, path, hexadecimal or decimal number: what failures of one
    cause have in common. Names in backticks are those of options, and stay."""
    return _SPACE.sub(" ", _OF_ONE_FILE.sub("#", message[:_MOST])).strip()


@lru_cache(maxsize=4096)
def cause_of(message: str | None) -> str:
    """Twelve hexadecimal digits that stand for what the message is like. They are stored: other rules give other ones
    from then on, and what was stored keeps its own."""
    return blake3(like(message or "").encode("utf-8", "surrogatepass")).hexdigest(6)
