"""One root of a watch: whether it is there, and whether its changes are told or must be looked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from stat import S_ISDIR

from cortex.engine.telling import shown
from cortex.watching.following import Follower

LOOK_S = 60.0
"""How often a root is walked whole whose changes nobody tells."""

AGAIN_S = 60.0
"""The longest wait before a follower that ended is replaced by a new one."""

TELL_AGAIN_S = 21_600.0
"""The longest wait before it is tried again to follow what could not be followed."""

_LIVED_S = 120.0

Identity = tuple[int, ...] | None


def identity_of(path: bytes) -> Identity:
    """What lies at a path: a disk that is mounted there, or another folder of that name, is something else. Of a file
    also how it was last changed, for only folders are followed. None when it cannot be reached."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    if S_ISDIR(status.st_mode):
        return status.st_dev, status.st_ino
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


class Root:
    """Times are monotonic seconds. `on_change` is called from other threads."""

    def __init__(
        self, path: bytes, rescan_s: float, on_change: Callable[[bytes, list[bytes]], None], note: Callable[[str], None]
    ) -> None:
        self.path = path
        self._rescan_s = rescan_s
        self._on_change = on_change
        self._note = note
        self._identity: Identity = None
        self._follower: Follower | None = None
        self._started = 0.0
        self._wait_s = 1.0
        self._not_before = 0.0
        self._is_told = True
        self._past_denied = False
        self._walked = 0.0

    def begin(self, now: float) -> None:
        self._identity = identity_of(self.path)
        self._follow(now)

    def end(self) -> None:
        if self._follower is not None:
            self._follower.stop()
            self._follower = None

    @property
    def ready(self) -> bool:
        """Whether changes are told from now on, as far as they can be."""
        return self._follower is None or self._follower.ready.is_set()

    def walked(self, now: float) -> None:
        """It was taken to be walked whole."""
        self._walked = now

    def must_be_walked(self, now: float) -> bool:
        """Looks at what became of the root: true when something may have happened that was not told."""
        identity = identity_of(self.path)
        if identity != self._identity:
            self._changed_to(identity, now)
            return True
        missed = self._follower is not None and self._follower.ended and self._has_ended(self._follower, now)
        if not self._is_told and now >= self._started + min(self._rescan_s, TELL_AGAIN_S):
            self._is_told = True
        if self._follower is None and self._is_told and now >= self._not_before and self._follow(now):
            missed = True
        every = self._rescan_s if self._is_told and not self._past_denied else min(self._rescan_s, LOOK_S)
        return missed or now >= self._walked + every

    def _changed_to(self, identity: Identity, now: float) -> None:
        was_away, self._identity = self._identity is None, identity
        self.end()
        self._is_told, self._past_denied, self._not_before = True, False, now
        if identity is None:
            self._note(f"{shown(self.path)} cannot be reached; it is watched again once it is back")
        elif was_away:
            self._note(f"{shown(self.path)} is back")
        self._follow(now)

    def _follow(self, now: float) -> bool:
        if not os.path.isdir(self.path):
            return False
        self._started = now
        tell = partial(self._on_change, self.path)
        self._follower = Follower(self.path, tell, past_denied=self._past_denied)
        self._follower.start()
        return True

    def _has_ended(self, follower: Follower, now: float) -> bool:
        """What is done about it; whether changes may have been missed."""
        self._follower = None
        root, error = shown(self.path), follower.error
        if isinstance(error, PermissionError) and not self._past_denied:
            self._past_denied = True
            self._note(f"some folders in {root} may not be read; it is looked through every {LOOK_S:g} s besides")
            self._follow(now)
        elif not follower.was_ready and not isinstance(error, FileNotFoundError):
            self._is_told = False
            why = str(error).partition(" about [")[0]
            self._note(f"changes in {root} cannot be followed ({why}); it is looked through every {LOOK_S:g} s")
        else:
            self._wait_s = 1.0 if now > self._started + _LIVED_S else min(self._wait_s * 2, AGAIN_S)
            self._not_before = now + self._wait_s
            self._note(f"some changes in {root} could not be followed ({error}); it is looked through")
            return True
        return False
