"""Reports on a terminal: a live display while it runs, the summary when it is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cortex.engine.telling import Failure, Status
from cortex.report.plain import describe, describe_failure, printable
from cortex.report.summary import in_words

SHOWN_FAILURES = 20
_BAR_WIDTH = 40


class TerminalReporter:
    """Draws a bar with files, bytes, rate, time left, the files in hand and the failures so far on stderr."""

    lost = None

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, refresh_per_second=10, transient=True)
        self._title = ""
        self._failures = 0

    def begin(self, pipelines: list[str], *, dry_run: bool) -> None:
        self._title = ("dry run of " if dry_run else "") + ", ".join(pipelines)
        self._live.start()

    def status(self, status: Status) -> None:
        fraction = status.fraction
        bar = ProgressBar(total=1.0, completed=fraction or 0.0, width=_BAR_WIDTH, pulse=fraction is None)
        head = Table.grid(padding=(0, 1))
        percent = "" if fraction is None else f"{fraction:4.0%}"
        head.add_row(Text(self._title, style="bold"), bar, Text(percent))
        current = [
            Text(f"  {printable(path)}", style="dim", no_wrap=True, overflow="ellipsis") for path in status.current
        ]
        self._live.update(Group(head, Text(describe(status)), *current))

    def failure(self, failure: Failure) -> None:
        self._failures += 1
        if self._failures <= SHOWN_FAILURES:
            self._console.print(Text(describe_failure(failure), style="red"))
        elif self._failures == SHOWN_FAILURES + 1:
            self._console.print(Text("further failures are counted; `cortex failures` lists them", style="red"))

    def events(self, events: Sequence[bytes]) -> None:
        """Events are for programs."""

    def note(self, text: str) -> None:
        self._console.print(Text(text))

    def broken(self, summary: dict[str, Any]) -> None:
        """The error says it."""

    def summary(self, summary: dict[str, Any]) -> None:
        self._live.stop()
        head, *lines = in_words(summary)
        out = Console(highlight=False, soft_wrap=True)
        out.print(Text(head, style="bold"))
        for line in lines:
            out.print(Text(line))

    def error(self, code: str, message: str, exit_code: int) -> None:
        self._live.stop()
        self._console.print(Text(f"{code}: {message}", style="bold red"))

    def close(self) -> None:
        """Gives the terminal back as it was."""
        self._live.stop()
