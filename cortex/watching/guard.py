"""Whether files that are gone count as deleted at once, or wait for somebody to confirm it."""

from __future__ import annotations

import os
import shlex
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from cortex.engine.telling import shown
from cortex.sources.loss import Loss
from cortex.sources.roots import is_address

MANY = 100
"""More files than that are not taken for deleted without a word from somebody;"""

PERCENT = 10
"""nor is more than this part of a root,"""

FEW = 10
"""if it is at least so many files."""

TOGETHER_S = 600.0
"""What goes from a root in such a time counts together, for a large folder is not deleted in one moment."""

_NAMED = 3


class Waiting(NamedTuple):
    """Of a root, `gone` of `files` files wait to be confirmed as deleted, `some` of them by their paths. `before`: so
    many were counted as deleted shortly before. `pipeline` is the one by which a store is watched."""

    root: bytes
    gone: int
    files: int
    some: tuple[bytes, ...]
    before: int
    pipeline: str | None = None

    @property
    def names(self) -> list[str]:
        """Below the root, of different folders where there are some."""
        step = max(1, len(self.some) // _NAMED)
        return [shown(os.path.relpath(path, self.root)) for path in self.some[::step][:_NAMED]]

    @property
    def confirm(self) -> str:
        if is_address(self.root):
            return f"cortex ingest --pipeline {shlex.quote(self.pipeline or '')}"
        return f"cortex ingest {shlex.quote(shown(self.root))}"

    @property
    def message(self) -> str:
        more = " and more" if self.gone > len(self.names) else ""
        before = f" (besides {self.before:,} shortly before)" if self.before else ""
        are = "is" if self.gone == 1 else "are"
        return (
            f"{self.gone:,} of {self.files:,} files in {shown(self.root)} {are} gone{before}: {', '.join(self.names)}"
            f"{more}. None counts as deleted until it is confirmed with: {self.confirm}"
        )


@dataclass
class _Held:
    """What waits of a root; `told` is the number that somebody was told last."""

    told: int
    some: tuple[bytes, ...]


class Deletions:
    """Lets a few files go, and holds many until Loom no longer remembers them as present or they are back. `tell` is
    called once for what waits, and again when that is twice or half as much; not for what another process has counted
    as deleted since this one began to look. `clock` gives monotonic seconds; `pipeline` as in `Waiting`."""

    def __init__(
        self,
        tell: Callable[[Waiting], None],
        clock: Callable[[], float] = time.monotonic,
        pipeline: str | None = None,
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._pipeline = pipeline
        self._went: dict[bytes, deque[tuple[float, int]]] = {}
        self._held: dict[bytes, _Held] = {}

    def may_go(self, loss: Loss) -> bool:
        held = self._held.get(loss.root)
        if not loss.number and not loss.is_whole:
            return True
        waits = held is not None and not loss.is_whole and loss.still_gone(held.some)
        before = self._shortly_before(loss.root)
        if not waits and not _are_many(loss, before):
            self._held.pop(loss.root, None)
            return True
        if waits or loss.still_gone(loss.some):
            self._hold(loss, held if waits or loss.is_whole else None, before)
        return False

    def counted(self, root: bytes, number: int) -> None:
        self._went.setdefault(root, deque()).append((self._clock(), number))

    def _shortly_before(self, root: bytes) -> int:
        went = self._went.get(root, deque())
        while went and went[0][0] <= self._clock() - TOGETHER_S:
            went.popleft()
        return sum(number for _, number in went)

    def _hold(self, loss: Loss, held: _Held | None, before: int) -> None:
        """A walk of a part may see less than what waits."""
        if held is None:
            held = self._held[loss.root] = _Held(0, loss.some)
        elif loss.is_whole or loss.number > held.told:
            held.some = loss.some
        else:
            return
        if not held.told * 0.5 < loss.number < held.told * 2:
            held.told = loss.number
            self._tell(Waiting(loss.root, loss.number, loss.remembered(None), loss.some, before, self._pipeline))


def _are_many(loss: Loss, before: int) -> bool:
    number = loss.number + before
    if not loss.number or number < FEW:
        return False
    if number > MANY:
        return True
    at_least = number * 100 // PERCENT
    return loss.remembered(at_least) + before < at_least
