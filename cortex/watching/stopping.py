"""Ctrl-C and a service manager's SIGTERM end a watch in order; a round that does not end then is ended at once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator

from cortex.ingesting import Interruption

_LOOK_S = 0.2


@contextlib.contextmanager
def grace(interruption: Interruption, seconds: float) -> Iterator[None]:
    """A round that was interrupted and has not ended after so many seconds is interrupted once more."""
    over = threading.Event()

    def guard() -> None:
        end: float | None = None
        while not over.wait(_LOOK_S):
            if end is None and interruption.came:
                end = time.monotonic() + seconds
            if end is not None and time.monotonic() >= end:
                os.kill(os.getpid(), signal.SIGTERM)
                return

    thread = threading.Thread(target=guard, name="grace", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
