"""Files that could not be reached for a while and are there again as they were: nothing is to be done but tell Loom."""

from __future__ import annotations

from cortex.sources.knownfiles import BATCH
from loom.verbs import Ledger


class Returned:
    """Tells Loom in batches; without a `ledger` nobody."""

    def __init__(self, ledger: Ledger | None, host: str) -> None:
        self._ledger = ledger
        self._host = host
        self._waiting: list[tuple[bytes, bytes]] = []
        self._device = 0

    def note(self, directory: bytes, name: bytes, device: int) -> None:
        """`device` is where it lies now: it may have another number than before."""
        if device != self._device or len(self._waiting) >= BATCH:
            self.tell()
        self._device = device
        self._waiting.append((directory, name))

    def tell(self) -> None:
        """Of all that were noted until now."""
        waiting, self._waiting = self._waiting, []
        if waiting and self._ledger is not None:
            self._ledger.mark_present(self._host, waiting, self._device)
