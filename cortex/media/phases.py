"""Work that several nodes share: done once, its failure remembered, announced while it goes on."""

from __future__ import annotations

import errno
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from loom.errors import LoomError

T = TypeVar("T")

DISK_ERRORS = frozenset({errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENODEV, errno.EREMOTEIO})


class Phases:
    """`blamed` names phases that killed a worker on this file, with the code and sentence they fail with; they are
    never tried. `announce` is told the name of a phase before it begins and None when it is over."""

    def __init__(self, blamed: Mapping[str, tuple[str, str]], announce: Callable[[str | None], None] | None) -> None:
        self._blamed = blamed
        self._announce = announce
        self._done: dict[Any, tuple[Any, LoomError | None]] = {}

    def once(self, phase: str, key: Any, work: Callable[[], T]) -> T:
        """What `work` gives, called once per `key`; a failure is raised again without a second try. Raises only
        `LoomError`: what the decoders raise besides is told apart by `as_damage`."""
        found = self._done.get(key)
        if found is None:
            found = self._done[key] = self._run(phase, work)
        value, failure = found
        if failure is not None:
            raise LoomError(failure.code, failure.message)
        return value  # type: ignore[no-any-return]

    def close(self) -> None:
        """Lets go of everything that was made."""
        self._done.clear()

    def _run(self, phase: str, work: Callable[[], T]) -> tuple[T | None, LoomError | None]:
        if (blame := self._blamed.get(phase)) is not None:
            return None, LoomError(*blame)
        if self._announce is not None:
            self._announce(phase)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return work(), None
        except LoomError as error:
            return None, error
        except (Exception, MemoryError) as error:
            return None, as_damage(error)
        finally:
            if self._announce is not None:
                self._announce(None)


_SIGNS: dict[str, tuple[str, ...]] = {
    "FILE_TRUNCATED": ("truncated", "end of file", "premature", "unexpected eof", "not enough image data"),
    "FILE_TOO_LARGE": ("decompression bomb", "too large", "security limit", "exceeds limit"),
    "FILE_ENCRYPTED": ("encrypted", "password"),
    "FORMAT_UNSUPPORTED": (
        "not supported",
        "unsupported",
        "not implemented",
        "decoder not found",
        "unknown pixel mode",
        "unknown data organization",
    ),
}
"""What decoders write in their messages, by what it means."""


def as_damage(error: BaseException) -> LoomError:
    """What an exception of a decoder says about the file. Decoders raise exceptions of every kind on bad data, so
    everything that is not the disk's or the memory's fault is the file's."""
    if isinstance(error, MemoryError):
        return LoomError("MEMORY_EXCEEDED")
    if isinstance(error, ImportError):
        return LoomError("REQUIREMENT_MISSING", f"{error}")
    # FFmpeg calls damage an input error too; what Python itself reports comes from the disk.
    if isinstance(error, OSError) and error.errno in DISK_ERRORS and type(error).__module__ == "builtins":
        return LoomError("READ_FAILED", f"reading failed: {error.strerror}")
    reason = error.strerror if isinstance(error, OSError) else None
    text = " ".join((reason or str(error)).split())[:200]
    if isinstance(error, EOFError):
        return LoomError("FILE_TRUNCATED")
    if isinstance(error, NotImplementedError):
        return LoomError("FORMAT_UNSUPPORTED", f"this form of the format cannot be decoded: {text}" if text else None)
    lowered = f"{type(error).__name__} {text}".lower()
    for code, signs in _SIGNS.items():
        if any(sign in lowered for sign in signs):
            return LoomError(code, f"{LoomError(code).message[:-1]} ({text}).")
    return LoomError("FILE_DAMAGED", f"the file cannot be decoded: {text or type(error).__name__}")
