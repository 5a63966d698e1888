"""Where data goes: standard output, whose reader may hang up and whose device may be full."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TextIO

from loom.ending import in_utf8


class Output:
    """Writes to a stream, in UTF-8, until that fails: `lost` is why, and from then on nothing is written any more. Safe
    for threads."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = in_utf8(stream)
        self._lock = threading.Lock()
        self.lost: OSError | None = None

    def write(self, text: str) -> None:
        self._unless_lost(lambda: self._stream.write(text))

    def flush(self) -> None:
        self._unless_lost(self._stream.flush)

    def _unless_lost(self, act: Callable[[], object]) -> None:
        with self._lock:
            if self.lost is None:
                try:
                    act()
                except OSError as error:
                    self.lost = OSError(error.errno, error.strerror, "The output")
