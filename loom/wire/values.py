"""Digests, times and JSON objects on their way between text and what the product works with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from loom.errors import LoomError

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

MAX_DEPTH = 100
"""How deeply JSON of any content may be nested: what is only just decoded would be too deep for who sends it on."""


def sendable(text: str) -> str:
    """A text as it can be sent: half characters, which stand for bytes of file names, are replaced."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def bytes_of(text: str) -> bytes:
    """The bytes of a hexadecimal text. Raises `REQUEST_INVALID`."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise LoomError("REQUEST_INVALID", "Hexadecimal digits are expected.") from None


def digest_of(text: str) -> bytes:
    """The 32 bytes of a digest in hexadecimal. Raises `REQUEST_INVALID`."""
    digest = bytes_of(text)
    if len(digest) != 32 or len(text) != 64:
        raise LoomError("REQUEST_INVALID", "A digest of 64 hexadecimal digits is expected.")
    return digest


def moment_of(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def microseconds_of(moment: datetime) -> int:
    """Raises `REQUEST_INVALID` for a time without a zone."""
    if moment.tzinfo is None:
        raise LoomError("REQUEST_INVALID", "Times are ISO 8601 with a time zone.")
    return (moment - _EPOCH) // _MICROSECOND


def milliseconds_of(microseconds: int) -> float:
    return microseconds / 1000


def duration_of(milliseconds: float) -> int:
    """Microseconds."""
    return round(milliseconds * 1000)


def object_bytes(raw: msgspec.Raw) -> bytes:
    """The bytes of a JSON object, at most `MAX_DEPTH` deep. Raises `REQUEST_INVALID` for anything else."""
    object_of(raw, "The outputs of a result are a JSON object.")
    return bytes(raw)


def object_of(raw: msgspec.Raw, expected: str) -> dict[str, Any]:
    """The JSON object, at most `MAX_DEPTH` deep. Raises `REQUEST_INVALID`, with the sentence for anything else."""
    try:
        value = msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise LoomError("REQUEST_INVALID", expected) from None
    return not_deep(value)


def not_deep(value: T) -> T:
    """A JSON value. Raises `REQUEST_INVALID` when it is more than `MAX_DEPTH` deep."""
    stack: list[tuple[Any, int]] = [(value, 1)]
    while stack:
        part, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise LoomError("REQUEST_INVALID", f"The values are nested more than {MAX_DEPTH} deep.")
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        stack.extend((one, depth + 1) for one in inner if isinstance(one, (dict, list)))
    return value
