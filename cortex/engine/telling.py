"""What is reported of an ingest, apart from how it looks."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from loom.model import Pause


class Status(NamedTuple):
    """How far an ingest is. Totals are None until the source was counted; they have `unchanged` files too, of
    `bytes_unchanged`, which are done as soon as they are seen. `fraction` is how much of what needs work is done, 0 to
    1, and never moves back; `seconds_left` is weighed by what files cost. Both are None while nobody can tell.
    `files_per_s` are those that were worked on in the last seconds. `paused`: by whom, and why. `stopping`: no more
    files are begun with, those in hand are finished. `waiting`: what files wait for that no worker has in hand."""

    seconds: float
    files_done: int
    files_total: int | None
    bytes_done: int
    bytes_total: int | None
    unchanged: int
    failed: int
    current: tuple[str, ...]
    bytes_unchanged: int = 0
    fraction: float | None = None
    seconds_left: float | None = None
    files_per_s: float | None = None
    paused: str | None = None
    stopping: bool = False
    waiting: tuple[str, ...] = ()


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


def in_words(pause: Pause) -> str:
    """Who lets the run stand still, and why."""
    return f"paused by {pause.owner}" + (f": {pause.reason}" if pause.reason else "")


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

    def note(self, text: str, facts: Mapping[str, Any] | None = None) -> None:
        """Something a person should know; one sentence. `facts` are the same for programs."""
        ...

    def broken(self, summary: dict[str, Any]) -> None:
        """What had been done when the ingest broke; the error follows."""
        ...

    def summary(self, summary: dict[str, Any]) -> None: ...

    def error(self, code: str, message: str, exit_code: int) -> None: ...

    def close(self) -> None:
        """The ingest is over, however it ended."""
        ...
