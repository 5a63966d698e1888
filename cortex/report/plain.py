"""Reports as plain lines, where there is no terminal to draw on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from cortex.engine.telling import Failure, Status
from cortex.report.summary import human_bytes, human_seconds, in_words
from loom.ending import say

LINE_EVERY_S = 10.0


class PlainReporter:
    """Progress now and then and failures as they come go to stderr, the summary to stdout."""

    lost = None

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._last_line = 0.0

    def begin(self, pipelines: list[str], *, dry_run: bool) -> None:
        """Nothing to say before there is something to count."""

    def status(self, status: Status) -> None:
        if self._quiet or status.seconds - self._last_line < LINE_EVERY_S:
            return
        self._last_line = status.seconds
        self.note(describe(status))

    def failure(self, failure: Failure) -> None:
        if not self._quiet:
            self.note(describe_failure(failure))

    def events(self, events: Sequence[bytes]) -> None:
        """Events are for programs."""

    def note(self, text: str) -> None:
        say(text)

    def broken(self, summary: dict[str, Any]) -> None:
        """The error says it."""

    def summary(self, summary: dict[str, Any]) -> None:
        if not self._quiet:
            sys.stdout.write("\n".join(in_words(summary)) + "\n")
            sys.stdout.flush()

    def error(self, code: str, message: str, exit_code: int) -> None:
        self.note(f"{code}: {message}")

    def close(self) -> None:
        """Nothing is held."""


def describe(status: Status) -> str:
    """How far it is, in one line."""
    total = "" if status.files_total is None else f" of {status.files_total:,}"
    left = status.seconds_left
    parts = [
        f"{status.files_done:,}{total} files",
        human_bytes(status.bytes_done),
        f"{status.files_done / max(status.seconds, 0.001):,.1f} files/s",
        *([f"{status.failed} failed"] if status.failed else []),
        *([f"{human_seconds(left)} left"] if left is not None else []),
    ]
    return ", ".join(parts)


def describe_failure(failure: Failure) -> str:
    """A failure in one line; control characters of file names are shown, not sent."""
    where = f" at {failure.node}" if failure.node else ""
    where += " (handled)" if failure.handled else ""
    return f"{failure.code}{where}: {printable(failure.path)}: {failure.message}"


def printable(path: str) -> str:
    """A file name that does a terminal no harm."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in path)
