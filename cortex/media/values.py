"""Whatever metadata hold, as values that JSON can carry."""

from __future__ import annotations

import math
from typing import Any

_MAX_DEPTH = 4
_MAX_ITEMS = 256
_MAX_TEXT = 4096
_NO_CONTROLS = dict.fromkeys(c for c in range(0xA0) if (c < 32 and c not in (9, 10, 13)) or c >= 0x7F)


def text_of(value: str | bytes) -> str:
    """Text up to the first zero, without surrogates."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    text = text.split("\0")[0]
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def clean_text(value: Any) -> str | None:
    """Text without control characters and white space around it; None when nothing is left or it is no text."""
    if not isinstance(value, (str, bytes)):
        return None
    text = text_of(value)
    if not text.isprintable():
        text = text.translate(_NO_CONTROLS)
    return text.strip()[:_MAX_TEXT] or None


def plain(value: Any, depth: int = 0) -> Any:
    """The value as JSON: long texts cut, binary blocks replaced by their size, what is no number as None."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -(2**53) < value < 2**53 else str(value)
    if isinstance(value, str):
        text = text_of(value)
        return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"
    if isinstance(value, bytes):
        return _plain_bytes(value)
    if isinstance(value, (list, tuple)):
        return [plain(item, depth + 1) for item in value[:_MAX_ITEMS]] if depth < _MAX_DEPTH else None
    if isinstance(value, dict):
        items = list(value.items())[:_MAX_ITEMS]
        return {text_of(str(key)): plain(item, depth + 1) for key, item in items} if depth < _MAX_DEPTH else None
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return round(number, 9) if math.isfinite(number) else None


def _plain_bytes(value: bytes) -> str:
    text = value.rstrip(b"\0 ")
    if text.startswith(b"ASCII\0\0\0"):  # EXIF's comments begin with the name of their encoding
        text = text[8:]
    if len(text) <= _MAX_TEXT and text.isascii() and text.decode("ascii").isprintable():
        return text.decode("ascii")
    return f"{len(value)} bytes" if len(value) > 32 else value.hex(" ")
