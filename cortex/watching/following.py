"""Follows the changes below one root, in a thread of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

GROUP_MS = 400
"""Changes that come one upon the other are told together, at the latest after so many milliseconds."""

STEP_MS = 50
BEAT_MS = 200


class Follower:
    """Tells of paths that came, changed or went. `ready` is set once nothing escapes it any more, or it has failed; it
    has `ended` when `error` says why, and then changes may have been missed. Of both it tells with no path at all."""

    def __init__(self, root: bytes, on_change: Callable[[list[bytes]], None], *, past_denied: bool = False) -> None:
        """`past_denied`: goes on without the folders that may not be read, and tells nothing of some of the others."""
        self.ready = threading.Event()
        self.was_ready = False
        self.error: Exception | None = None
        self.ended = False
        self._root = root
        self._on_change = on_change
        self._past_denied = past_denied
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="follower", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(2.0)

    def _follow(self) -> None:
        try:
            self._tell()
        except Exception as error:  # whatever it is, the root is walked whole instead
            self.error = error
        finally:
            self.ended = True
            self.ready.set()
            self._on_change([])

    def _tell(self) -> None:
        from watchfiles import watch

        for changes in watch(
            os.fsdecode(self._root),
            watch_filter=None,
            debounce=GROUP_MS,
            step=STEP_MS,
            stop_event=self._stop,
            rust_timeout=BEAT_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
            ignore_permission_denied=self._past_denied,
        ):
            is_first, self.was_ready = not self.was_ready, True
            self.ready.set()
            if changes or is_first:
                self._on_change([os.fsencode(path) for _, path in changes])
