"""Brings remote files to this machine ahead of the sandbox, a few at a time, into a bounded scratch folder."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from queue import Empty, SimpleQueue
from typing import Protocol

from cortex.engine.apart import Apart
from cortex.engine.failures import as_failure
from cortex.engine.pace import Pace
from cortex.sources.found import Found
from cortex.sources.remote.files import Arrived, Local, Remote, RemoteFiles, UnwantedError, Version
from cortex.sources.remote.scratch import Scratch
from cortex.sources.walk import file_stat
from loom.errors import LoomError

THREADS = 8
AHEAD = 2 * THREADS
"""So many files are asked for at a time, those included that wait for a thread."""

LOST = THREADS
"""After so many files in a row that could not be read, what has them counts as away."""

_REDONE = frozenset({"READ_FAILED", "CHANGED_WHILE_READ"})
_MOST_REDONE = 3
"""So often in a row, without that more of the file came than ever before."""
_GETS_ON = 256 * 1024
"""Bytes; fewer than these are not worth a connection that breaks."""
_FIRST_PAUSE_S = 0.5
_LOOK_S = 0.05
_FAREWELL_S = 2.0
"""How long a connection that hangs may keep the scratch folder from being removed; the next ingest removes it then."""
_SUFFIX = 12
"""The longest suffix that a file keeps in the scratch folder."""


class Helm(Protocol):
    """How the ingest fares that the files are for."""

    paused: bool
    stopped: bool


class Fetcher:
    """For one ingest; to be closed. The scratch folder is there from the first remote file on."""

    def __init__(self, files: RemoteFiles, parent: Path, most_bytes: int, read_limit: int) -> None:
        """`read_limit`: how many bytes of files are begun with in a second, 0 for any number."""
        self._files = files
        self._parent = parent
        self._most_bytes = most_bytes
        self._pace = Pace(read_limit)
        self._lock = threading.Lock()
        self._threads = Apart("fetch", THREADS)
        self._done: SimpleQueue[tuple[Found, Found | Arrived | LoomError | None]] = SimpleQueue()
        self._numbers = itertools.count()
        self._under_way = 0
        self._busy = 0
        self._lost: Counter[bytes] = Counter()
        self._ended = False
        self._helm: Helm | None = None
        self._scratch: Scratch | None = None

    def through(self, found: Iterator[Found], helm: Helm) -> Iterator[Found]:
        """Passes files of this machine on, and others once they are here, in the order in which they come. Raises
        `DISK_FULL`."""
        self._helm = helm
        for one in found:
            if one.remote is None:
                yield one
                continue
            while (helm.paused or self._under_way >= AHEAD) and not helm.stopped:
                yield from self._arrived(_LOOK_S)
            if helm.stopped:
                return
            if not self._is_away(one.remote.origin):
                self._give(one, one.remote)
            yield from self._arrived(0.0)
        while self._under_way and not helm.stopped:
            yield from self._arrived(_LOOK_S)

    def close(self) -> None:
        """Ends what is on its way, and removes what lies there."""
        self._ended = True
        self._threads.close(wait=False)
        end = time.monotonic() + _FAREWELL_S
        while self._busy and time.monotonic() < end:
            time.sleep(_LOOK_S)
        if self._scratch is not None:
            self._scratch.remove()
        self._files.close()

    def _give(self, found: Found, remote: Remote) -> None:
        if self._scratch is None:
            self._scratch = Scratch(self._parent, self._most_bytes)
        scratch = self._scratch
        self._under_way += 1
        self._threads.give(lambda: self._done.put((found, self._brought(found, remote, scratch))))

    def _arrived(self, wait_s: float) -> Iterator[Found]:
        """Those that are done by now; waits for the first."""
        while self._under_way:
            try:
                found, result = self._done.get(timeout=wait_s) if wait_s else self._done.get_nowait()
            except Empty:
                return
            wait_s = 0.0
            self._under_way -= 1
            remote = found.remote
            if remote is None or result is None:
                continue
            if isinstance(result, LoomError):
                self._tell(found, remote, result)
                continue
            self._lost[remote.origin] = 0
            if isinstance(result, Arrived):
                self._files.was_unchanged(found, result.version)
            else:
                self._files.has_arrived(result)
                yield result

    def _is_away(self, origin: bytes) -> bool:
        return self._lost[origin] >= LOST

    def _tell(self, found: Found, remote: Remote, error: LoomError) -> None:
        if error.code == "DISK_FULL":
            raise error
        if error.code == "FILE_VANISHED":
            self._files.has_vanished(found)
        elif not self._is_away(remote.origin):
            self._lost[remote.origin] += error.code == "READ_FAILED"
            self._files.note_unreadable(found.path, error.code, error.message)
            if self._is_away(remote.origin):
                self._files.note_away(remote.origin, f"it went away while it was read: {error.message}")

    def _brought(self, found: Found, remote: Remote, scratch: Scratch) -> Found | Arrived | LoomError | None:
        """In a thread of its own; None when it is not wanted any more."""
        with self._lock:
            self._busy += 1
        try:
            return self._bring(found, remote, scratch)
        except BaseException as error:
            return LoomError(*as_failure(error))
        finally:
            with self._lock:
                self._busy -= 1

    def _bring(self, found: Found, remote: Remote, scratch: Scratch) -> Found | Arrived | LoomError | None:
        landing = _Landing(self._place(found, scratch), scratch, self._is_wanted, self._begins)
        attempt, most = 0, 0
        try:
            while True:
                try:
                    arrived = remote.bring(landing)
                    return arrived if arrived.unchanged else landing.found(found, remote, arrived.version)
                except UnwantedError:
                    return None
                except LoomError as error:
                    gets_on = error.code == "READ_FAILED" and landing.total >= most + _GETS_ON
                    attempt, most = 0 if gets_on else attempt + 1, max(landing.total, most)
                    if error.code not in _REDONE or attempt > _MOST_REDONE or self._is_away(remote.origin):
                        return error
                if not self._sleeps(_FIRST_PAUSE_S * 2 ** max(attempt - 1, 0)):
                    return None
        finally:
            landing.leave()

    def _place(self, found: Found, scratch: Scratch) -> str:
        """Programs that are given it may go by its suffix."""
        suffix = PurePath(os.fsdecode(found.name).partition("?")[0]).suffix
        fits = suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= _SUFFIX
        return str(scratch.path / f"{next(self._numbers)}{suffix if fits else ''}")

    def _is_wanted(self) -> bool:
        return not (self._ended or (self._helm is not None and self._helm.stopped))

    def _begins(self, size: int) -> bool:
        """Waits for its turn under the limit for reading."""
        while self._is_wanted():
            with self._lock:
                if not self._pace.waits:
                    self._pace.begin(size)
                    return True
            time.sleep(_LOOK_S)
        return False

    def _sleeps(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while self._is_wanted() and time.monotonic() < end:
            time.sleep(_LOOK_S)
        return self._is_wanted()


class _Landing:
    """One file on its way."""

    def __init__(
        self, path: str, scratch: Scratch, is_wanted: Callable[[], bool], begins: Callable[[int], bool]
    ) -> None:
        self.path = path
        self.part: Version | None = None
        self.total = 0
        """How many bytes were there last."""
        self._scratch = scratch
        self._is_wanted = is_wanted
        self._begins = begins
        self._size: int | None = None
        """The room that is taken for it."""

    def expect(self, size: int | None) -> None:
        if self._size is not None:
            self._scratch.resize(self._size, size or 0)
        elif not self._scratch.take(size or 0, self._is_wanted):
            raise UnwantedError
        self._size = size or 0
        if not self._begins(self._size):
            raise UnwantedError

    def came(self, total: int) -> None:
        if not self._is_wanted():
            raise UnwantedError
        self.total = total
        if self._size is not None and total > self._size:
            self._scratch.resize(self._size, total)
            self._size = total

    def found(self, found: Found, remote: Remote, version: Version) -> Found:
        """The file as it is to be walked. Copies of it get its time of last change, where that is known."""
        if version.modified_ns:
            os.utime(self.path, ns=(version.modified_ns, version.modified_ns))
        status = Path(self.path).stat()
        version = version._replace(size=status.st_size)
        self._scratch.resize(self._size or 0, status.st_size)
        trusted = version.is_trusted(time.time_ns())
        local = Local(os.fsencode(self.path), file_stat(status), trusted, self._scratch, status.st_size)
        self._size = None
        return found._replace(stat=version.stat, asset=remote.asset(version), local=local)

    def leave(self) -> None:
        """Takes away what was begun, unless it has become a file to be walked."""
        if self._size is not None:
            self._scratch.release(os.fsencode(self.path), self._size)
            self._size = None
