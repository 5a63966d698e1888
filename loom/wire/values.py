"""Digests, times and JSON objects on their way between text and what the product works with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from loom.errors import LoomError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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
    """The bytes of a JSON object. Raises `REQUEST_INVALID` for anything else."""
    text = bytes(raw)
    try:
        msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise LoomError("REQUEST_INVALID", "The outputs of a result are a JSON object.") from None
    return text
