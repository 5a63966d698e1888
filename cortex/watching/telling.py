"""What a watch tells: people and programs of its rounds, a service manager of its state."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeAlias

from cortex.engine.telling import Failure, shown
from cortex.report.lines import LineReporter
from cortex.report.plain import PlainReporter
from cortex.report.summary import human_bytes, human_seconds, writes_in_words
from cortex.request import Request
from cortex.watching.guard import Waiting
from loom.errors import is_retryable


class _News:
    """What is said in round after round is said once."""

    def __init__(self) -> None:
        self._now: set[str] = set()
        self._before: set[str] = set()

    def is_new(self, text: str) -> bool:
        is_new = text not in self._now and text not in self._before
        self._now.add(text)
        return is_new

    def round_ended(self) -> None:
        self._now, self._before = set(), self._now


class RoundLines(LineReporter):
    """A summary for each round in which something happened. `again` are the paths of files of which something is to be
    tried again, in this round or the one before."""

    def __init__(self, *, recorded: bool = True) -> None:
        """`recorded`: there is a Loom that keeps a record of runs."""
        super().__init__()
        self._recorded = recorded
        self._news = _News()
        self.again: set[str] = set()

    def begin(self, pipelines: list[str], *, dry_run: bool) -> None:
        self.again.clear()

    def failure(self, failure: Failure) -> None:
        _note_again(self.again, failure)
        if failure.code != "SOURCE_UNREACHABLE" or self._news.is_new(f"{failure.path}: {failure.message}"):
            super().failure(failure)

    def note(self, text: str, facts: Mapping[str, Any] | None = None) -> None:
        if self._news.is_new(text):
            super().note(text, facts)

    def waiting(self, waiting: Waiting) -> None:
        """Deletions that wait to be confirmed, as a line of its own."""
        facts = {
            "about": "deletions",
            "root": shown(waiting.root),
            "gone": waiting.gone,
            "files": waiting.files,
            "names": waiting.names,
            "confirm": waiting.confirm,
        }
        super().note(waiting.message, facts)

    def summary(self, summary: dict[str, Any]) -> None:
        self._news.round_ended()
        if happened(summary, recorded=self._recorded):
            super().summary(summary)


class RoundsInWords(PlainReporter):
    """A line for each round in which something happened, and one for each effect that a dry run left out. `again` as
    with `RoundLines`."""

    def __init__(self, *, quiet: bool = False, recorded: bool = True) -> None:
        super().__init__(quiet=quiet)
        self._recorded = recorded
        self._news = _News()
        self.again: set[str] = set()

    def begin(self, pipelines: list[str], *, dry_run: bool) -> None:
        self._last_line = 0.0
        self.again.clear()

    def failure(self, failure: Failure) -> None:
        _note_again(self.again, failure)
        super().failure(failure)

    def note(self, text: str, facts: Mapping[str, Any] | None = None) -> None:
        if self._news.is_new(text):
            super().note(text, facts)

    def waiting(self, waiting: Waiting) -> None:
        super().note(waiting.message)

    def summary(self, summary: dict[str, Any]) -> None:
        self._news.round_ended()
        if happened(summary, recorded=self._recorded) and not self._quiet:
            effects = (summary["would_write"] or {}).get("effects", ())
            sys.stdout.writelines(f"{line}\n" for line in (in_a_line(summary), *(f"  would {one}" for one in effects)))
            sys.stdout.flush()


RoundReporter: TypeAlias = RoundLines | RoundsInWords


def make_reporter(request: Request) -> RoundReporter:
    recorded = not request.offline
    return RoundLines(recorded=recorded) if request.json else RoundsInWords(quiet=request.quiet, recorded=recorded)


def happened(summary: dict[str, Any], *, recorded: bool = True) -> bool:
    """Whether the round did more than to see that all is as it was. Where no run is `recorded` because of that, it is
    so when a file was walked."""
    assets = summary["assets"]
    walked = assets["seen"] > assets["unchanged"] and (not recorded or summary["would_write"] is not None)
    return bool(summary["runs"] or summary["unreachable"] or assets["unreadable"] or walked)


def in_a_line(summary: dict[str, Any]) -> str:
    assets = summary["assets"]
    words = {"new": "new", "moved": "at a new path", "failed": "failed", "unreadable": "unreadable"}
    told = [f"{assets[name]:,} {what}" for name, what in words.items() if assets[name]]
    told += [f"{assets['seen'] - assets['unchanged']:,} files walked"]
    told += [f"{human_bytes(summary['bytes'])} in {human_seconds(summary['seconds'])}"]
    would = summary["would_write"]
    if would is not None:
        told.append(f"would write {writes_in_words(would)}")
    title = "dry run of " if summary["dry_run"] else ""
    return f"{title}{summary['pipeline']} {summary['state']}: {', '.join(told)}"


def _note_again(again: set[str], failure: Failure) -> None:
    if is_retryable(failure.code):
        again.add(failure.path)


def tell_manager(state: str) -> None:
    """Tells a service manager, if there is one that wants to know: `READY=1`, `STOPPING=1` (see sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
        line.connect("\0" + address[1:] if address.startswith("@") else address)
        line.sendall(state.encode())
