"""What is done now and then while Loom is open."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def now_and_then(
    name: str, do: Callable[[Callable[[], bool]], object], *, first_s: float, every_s: float
) -> Iterator[None]:
    """Meanwhile calls `do`, which is told how to ask whether it is to stop. What cannot be done now (the database is
    busy, or away) is done the next time."""
    stopped = threading.Event()

    def work() -> None:
        from loom.errors import LoomError

        wait_s = first_s
        while not stopped.wait(wait_s):
            wait_s = every_s
            try:
                do(stopped.is_set)
            except LoomError:
                continue

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
