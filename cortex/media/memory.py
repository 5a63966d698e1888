"""The bytes of a derived file, to be looked at as those of a file are."""

from __future__ import annotations

import time

from cortex.media.file import OpenFile
from loom.model import FileStat


class MemoryFile(OpenFile):
    """Bytes that lie in memory and nowhere else."""

    def __init__(self, data: bytes) -> None:
        self._descriptor = -1
        self.size = len(data)
        self.bytes_read = 0
        self._kept = data
        self._count = len(data)
        self._since = time.time_ns()

    @property
    def stat(self) -> FileStat:
        return FileStat(self.size, self._since, 0, 0)

    @property
    def keepable(self) -> bool:
        return True

    def changed(self) -> bool:
        return False
