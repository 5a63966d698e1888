"""Ctrl-C and a service manager's SIGTERM."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass
class Interruption:
    """Whether Ctrl-C or SIGTERM came while an ingest ran, and how often; it stays true for what happens after it."""

    came: bool = False
    times: int = 0


@contextlib.contextmanager
def stop_signals(interruption: Interruption, tell: Callable[[], None]) -> Iterator[None]:
    """Each that comes until the end of the block is noted and told; what runs within may take them over for a while."""

    def come(*_: object) -> None:
        interruption.came = True
        interruption.times += 1
        tell()

    before = {number: signal.signal(number, come) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
