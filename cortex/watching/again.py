"""What cannot be done for now is tried again."""

from __future__ import annotations

import time
from collections.abc import Callable

from loom.errors import LoomError

FIRST_S = 2.0
LONGEST_S = 60.0
"""How long it waits to be tried again: at first, and at most."""


class Again:
    """Not to be tried before `not_before` (monotonic seconds). Why not is said once."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self.not_before = 0.0
        self._note = note
        self._wait_s = FIRST_S
        self._said = ""

    def later(self, error: LoomError) -> None:
        self.not_before = time.monotonic() + self._wait_s
        self._wait_s = min(self._wait_s * 2, LONGEST_S)
        if (said := f"{error.code}: {error.message}") != self._said:
            self._said = said
            self._note(f"{said} (tried again until it can be done)")

    def done(self) -> None:
        self.not_before, self._wait_s, self._said = 0.0, FIRST_S, ""
