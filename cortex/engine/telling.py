"""What is reported of an ingest, apart from how it looks."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol


class Status(NamedTuple):
    """How far an ingest is. Totals are None until the source was counted; they have `unchanged` files too, of
    `bytes_unchanged`, which are done as soon as they are seen."""

    seconds: float
    files_done: int
    files_total: int | None
    bytes_done: int
    bytes_total: int | None
    unchanged: int
    failed: int
    current: tuple[str, ...]
    bytes_unchanged: int = 0

    @property
    def fraction(self) -> float | None:
        """How much of what needs work is done, 0 to 1, weighed by files and bytes alike; None while the totals are
        unknown. It never moves back: while the source is read, files only turn out to need no work."""
        if self.files_total is None or not self.files_total:
            return None
        files = _part(self.files_done - self.unchanged, self.files_total - self.unchanged)
        size = (self.bytes_total or 0) - self.bytes_unchanged
        return files if size <= 0 else (files + _part(self.bytes_done, size)) / 2

    @property
    def seconds_left(self) -> float | None:
        fraction = self.fraction
        if not fraction or self.seconds < 1:
            return None
        return self.seconds * (1 - fraction) / fraction


class Failure(NamedTuple):
    """One node that failed on one asset, or a file that could not be read at all (`asset` and `node` None).
    `path_b64` is there when the path is not UTF-8, so that a program can find the file. `handled`: an `ERROR` edge of
    the pipeline leads on from the node."""

    asset: str | None
    path: str
    node: str | None
    code: str
    message: str
    path_b64: str | None = None
    handled: bool = False


def _part(done: int, whole: int) -> float:
    return min(done / whole, 1.0) if whole > 0 else 1.0


def shown(path: bytes) -> str:
    """A path as text; what is not UTF-8 in it is replaced."""
    return path.decode("utf-8", "replace")


def failure_at(path: bytes, asset: str | None, node: str | None, code: str, message: str) -> Failure:
    """A failure on the file of that path."""
    text = shown(path)
    exact = None if os.fsencode(text) == path else base64.b64encode(path).decode()
    return Failure(asset, text, node, code, message, exact)


class Reporter(Protocol):
    """How an ingest is shown. Calls come from several threads."""

    @property
    def lost(self) -> OSError | None:
        """Why nobody can be told anything any more: whoever read has hung up, or the device is full. An ingest that
        talks to nobody ends in order."""
        ...

    def begin(self, pipelines: list[str], *, dry_run: bool) -> None: ...

    def status(self, status: Status) -> None: ...

    def failure(self, failure: Failure) -> None: ...

    def events(self, events: Sequence[bytes]) -> None:
        """Events as the JSON objects that go over the bus."""
        ...

    def note(self, text: str) -> None:
        """Something a person should know; one sentence."""
        ...

    def broken(self, summary: dict[str, Any]) -> None:
        """What had been done when the ingest broke; the error follows."""
        ...

    def summary(self, summary: dict[str, Any]) -> None: ...

    def error(self, code: str, message: str, exit_code: int) -> None: ...

    def close(self) -> None:
        """The ingest is over, however it ended."""
        ...
