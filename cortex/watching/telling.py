"""What a watch tells: people and programs of its rounds, a service manager of its state."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from typing import Any, TypeAlias

from cortex.engine.telling import shown
from cortex.report.lines import LineReporter
from cortex.report.plain import PlainReporter
from cortex.report.summary import human_bytes, human_seconds
from cortex.request import Request
from cortex.watching.guard import Waiting


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
    """A summary for each round in which something happened."""

    def __init__(self) -> None:
        super().__init__()
        self._news = _News()

    def note(self, text: str) -> None:
        if self._news.is_new(text):
            super().note(text)

    def waiting(self, waiting: Waiting) -> None:
        """A `note` about deletions that wait to be confirmed, as a line of its own."""
        fields = {
            "about": "deletions",
            "root": shown(waiting.root),
            "gone": waiting.gone,
            "files": waiting.files,
            "names": waiting.names,
            "confirm": waiting.confirm,
            "message": waiting.message,
        }
        self._write("note", fields)

    def summary(self, summary: dict[str, Any]) -> None:
        self._news.round_ended()
        if happened(summary):
            super().summary(summary)


class RoundsInWords(PlainReporter):
    """A line for each round in which something happened."""

    def __init__(self, *, quiet: bool = False) -> None:
        super().__init__(quiet=quiet)
        self._news = _News()

    def begin(self, pipelines: list[str], *, dry_run: bool) -> None:
        self._last_line = 0.0

    def note(self, text: str) -> None:
        if self._news.is_new(text):
            super().note(text)

    def waiting(self, waiting: Waiting) -> None:
        super().note(waiting.message)

    def summary(self, summary: dict[str, Any]) -> None:
        self._news.round_ended()
        if happened(summary) and not self._quiet:
            sys.stdout.write(f"{in_a_line(summary)}\n")
            sys.stdout.flush()


RoundReporter: TypeAlias = RoundLines | RoundsInWords


def make_reporter(request: Request) -> RoundReporter:
    return RoundLines() if request.json else RoundsInWords(quiet=request.quiet)


def happened(summary: dict[str, Any]) -> bool:
    """Whether the round did more than to see that all is as it was."""
    return bool(summary["runs"] or summary["unreachable"] or summary["assets"]["unreadable"])


def in_a_line(summary: dict[str, Any]) -> str:
    assets = summary["assets"]
    words = {"new": "new", "moved": "at a new path", "failed": "failed", "unreadable": "unreadable"}
    told = [f"{assets[name]:,} {what}" for name, what in words.items() if assets[name]]
    told += [f"{assets['seen'] - assets['unchanged']:,} files walked"]
    told += [f"{human_bytes(summary['bytes'])} in {human_seconds(summary['seconds'])}"]
    return f"{summary['pipeline']} {summary['state']}: {', '.join(told)}"


def tell_manager(state: str) -> None:
    """Tells a service manager, if there is one that wants to know: `READY=1`, `STOPPING=1` (see sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
        line.connect("\0" + address[1:] if address.startswith("@") else address)
        line.sendall(state.encode())
