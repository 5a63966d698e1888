"""Where a file is written while it comes: from the first byte, or from where a former try broke off."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self

from cortex.sources.remote.files import Landing, Version
from loom.errors import NO_ROOM, LoomError


def begun(landing: Landing, version: Version) -> int:
    """How many bytes of this version lie there already, to go on from; what lies there of another is to be written
    over."""
    if landing.part == version and version.names_bytes and os.path.exists(landing.path):
        return os.path.getsize(landing.path)
    landing.part = version
    return 0


class Kept:
    """The file at the landing, written on from `total` bytes. Raises `DISK_FULL`, and `READ_FAILED` where it cannot be
    written."""

    def __init__(self, landing: Landing, total: int) -> None:
        self.total = total
        self._landing = landing
        try:
            self._file = open(landing.path, "ab" if total else "wb")  # noqa: SIM115
        except OSError as error:
            raise _failure(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        except OSError as failed:
            if error is None:
                raise _failure(failed) from failed

    def write(self, piece: bytes) -> None:
        """Raises `UnwantedError` besides."""
        try:
            self._file.write(piece)
            self._file.flush()
        except OSError as error:
            raise _failure(error) from error
        self.total += len(piece)
        self._landing.came(self.total)


def _failure(error: OSError) -> LoomError:
    if error.errno in NO_ROOM:
        return LoomError("DISK_FULL", "There is no room left for files that are brought here.")
    return LoomError("READ_FAILED", f"It cannot be kept for reading: {error.strerror}")
