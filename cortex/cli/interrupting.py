"""Ctrl-C, and a service manager's SIGTERM which means the same, before a command has begun and after it is done."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable
from types import FrameType

_BOTH = (signal.SIGINT, signal.SIGTERM)


class _End:
    """Ends this process on the spot, and says so: in the middle of an import an exception may go anywhere."""

    def __init__(self, code: int, words: str) -> None:
        self._code = code
        self._words = words.encode()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        try:
            os.write(2, self._words)
        finally:
            os._exit(self._code)


def end_at_once(code: int, words: str) -> None:
    """What an interrupt does until a command begins, or from now on when it is done."""
    end = _End(code, words)
    for number in _BOTH:
        signal.signal(number, end)


def beginning(command: Callable[..., int]) -> Callable[..., int]:
    """The command, which decides from its beginning on what an interrupt means."""

    @functools.wraps(command)
    def call(*arguments: object, **options: object) -> int:
        for number in _BOTH:
            if isinstance(signal.getsignal(number), _End):
                signal.signal(number, signal.default_int_handler)
        return command(*arguments, **options)

    return call
