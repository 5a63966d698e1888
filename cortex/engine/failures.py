"""What an exception means: the code and sentence under which a node's failure is stored."""

from __future__ import annotations

import errno

from loom.errors import LoomError

MAX_MESSAGE = 500
_DISK = {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENODEV, errno.ENXIO, errno.EREMOTEIO}


def as_failure(error: BaseException) -> tuple[str, str]:
    """Code and sentence of an exception that a node raised."""
    if isinstance(error, LoomError):
        return error.code, _short(error.message)
    if isinstance(error, MemoryError):
        return "MEMORY_EXCEEDED", LoomError("MEMORY_EXCEEDED").message
    if isinstance(error, ImportError):
        return "REQUIREMENT_MISSING", _short(_said(error) or "a module cannot be imported")
    if isinstance(error, OSError) and error.errno in _DISK:
        return "READ_FAILED", _short(error.strerror or _said(error))
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "DISK_FULL", LoomError("DISK_FULL").message
    text = _said(error)
    return "OPERATOR_FAILED", _short(f"{type(error).__name__}: {text}" if text else type(error).__name__)


def sendable(text: str) -> str:
    """The text without what cannot be told in UTF-8, such as bytes of a file's name."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _said(error: BaseException) -> str:
    """What it says of itself, unless that fails too."""
    try:
        return str(error)
    except BaseException:
        return ""


def _short(text: str) -> str:
    line = " ".join(sendable(text).split())
    return line if len(line) <= MAX_MESSAGE else line[: MAX_MESSAGE - 1] + "…"
