"""Reports as plain lines, where there is no terminal to draw on."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from cortex.engine.telling import Failure, Status
from cortex.report.summary import human_bytes, human_seconds, in_words
from loom.ending import printable as printable
from loom.ending import say

LINE_EVERY_S = 10.0


class PlainReporter:
    """Progress now and then and failures as they come go to stderr, the summary to stdout."""

    lost = None

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._last_line = 0.0
        self._done: dict[str, Any] | None = None

    def begin(self, pipelines: list[str], *, dry_run: bool) -> None:
        """Nothing to say before there is something to count."""

    def status(self, status: Status) -> None:
        if self._quiet or status.seconds - self._last_line < LINE_EVERY_S:
            return
        self._last_line = status.seconds
        self.note("; ".join([describe(status) or "looking for files", *status.waiting]))

    def failure(self, failure: Failure) -> None:
        if not self._quiet:
            self.note(describe_failure(failure))

    def events(self, events: Sequence[bytes]) -> None:
        """Events are for programs."""

    def note(self, text: str, facts: Mapping[str, Any] | None = None) -> None:
        say(text)

    def broken(self, summary: dict[str, Any]) -> None:
        self._done = summary

    def summary(self, summary: dict[str, Any]) -> None:
        if not self._quiet:
            sys.stdout.write("\n".join(in_words(summary)) + "\n")
            sys.stdout.flush()

    def error(self, code: str, message: str, exit_code: int) -> None:
        """What was done until then is told after it."""
        self.note(f"{code}: {message}")
        if self._done is not None:
            self.summary(self._done)

    def close(self) -> None:
        """Nothing is held."""


def describe(status: Status) -> str:
    """How far it is, in one line; empty while there is nothing to tell."""
    total = "" if status.files_total is None else f" of {status.files_total:,}"
    if not (status.files_done or status.files_total):
        return time_left(status)
    parts = [
        f"{status.files_done:,}{total} files",
        human_bytes(status.bytes_done) if status.bytes_done else "",
        human_rate(status.files_per_s) if status.files_per_s else "",
        f"{status.failed:,} failed" if status.failed else "",
        time_left(status),
    ]
    return ", ".join(filter(None, parts))


def human_rate(per_s: float) -> str:
    """A rate of files, with a tenth where that says something."""
    return f"{per_s:,.0f} files/s" if per_s >= 10 else f"{per_s:.1f} files/s"


def time_left(status: Status) -> str:
    """In words; empty while nobody can tell. Tenths of seconds would only make it restless."""
    if status.stopping:
        return "stopping: what is in hand is finished first"
    if status.paused is not None:
        return printable(status.paused)
    left = status.seconds_left
    if left is None:
        return ""
    return f"{max(round(left), 1)} s left" if left < 59.5 else f"{human_seconds(left)} left"


def describe_failure(failure: Failure) -> str:
    """A failure in one line; control characters of file names are shown, not sent."""
    where = f" at {failure.node}" if failure.node else ""
    where += " (handled)" if failure.handled else ""
    return f"{failure.code}{where}: {printable(failure.path)}: {printable(failure.message)}"
