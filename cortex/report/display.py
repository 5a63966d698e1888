"""Reports on a terminal: a live display while it runs, the summary when it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cortex.engine.telling import Failure, Status
from cortex.report.plain import describe, describe_failure, printable
from cortex.report.summary import in_words
from loom.ending import in_lines

SHOWN_FAILURES = 20
SHOWN_FILES = 8
_BAR_WIDTH = 40
_INDENT = 2


class TerminalReporter:
    """Draws a bar with files, bytes, rate, time left, the files in hand and the failures so far on stderr."""

    lost = None

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, refresh_per_second=10, transient=True)
        self._title = ""
        self._failures = 0
        self._done: dict[str, Any] | None = None

    def begin(self, pipelines: list[str], *, dry_run: bool) -> None:
        more = f" and {len(pipelines) - 2} more" if len(pipelines) > 3 else ""
        self._title = ("dry run of " if dry_run else "") + ", ".join(pipelines[:2] if more else pipelines) + more
        self._live.update(Text(f"{self._title}: getting ready"))
        self._live.start()

    def status(self, status: Status) -> None:
        fraction = status.fraction
        bar = ProgressBar(total=1.0, completed=fraction or 0.0, width=_BAR_WIDTH, pulse=fraction is None)
        head = Table.grid(padding=(0, 1))
        percent = "" if fraction is None else f"{fraction:4.0%}"
        title = Text(self._title, style="bold", no_wrap=True, overflow="ellipsis")
        head.add_row(title, bar, Text(percent, no_wrap=True))
        self._live.update(Group(head, Text(describe(status) or "getting ready"), *self._files(status)))

    def _files(self, status: Status) -> list[Text]:
        """The files in hand, each in one line: of a long path the end tells most; and what others wait for."""
        paths = status.current
        room = self._console.width - _INDENT
        lines = [" " * _INDENT + end_of(printable(path), room) for path in paths[:SHOWN_FILES]]
        if len(paths) > SHOWN_FILES:
            lines.append(f"{' ' * _INDENT}and {len(paths) - SHOWN_FILES} more")
        lines += [f"{' ' * _INDENT}{printable(reason)}" for reason in status.waiting]
        return [Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in lines]

    def failure(self, failure: Failure) -> None:
        self._failures += 1
        if self._failures <= SHOWN_FAILURES:
            self._console.print(Text(describe_failure(failure), style="red"), soft_wrap=True)
        elif self._failures == SHOWN_FAILURES + 1:
            self._console.print(Text("further failures are counted; `cortex failures` lists them", style="red"))

    def events(self, events: Sequence[bytes]) -> None:
        """Events are for programs."""

    def note(self, text: str, facts: Mapping[str, Any] | None = None) -> None:
        self._console.print(Text(in_lines(text)))

    def broken(self, summary: dict[str, Any]) -> None:
        self._done = summary

    def summary(self, summary: dict[str, Any]) -> None:
        self._live.stop()
        head, *lines = in_words(summary)
        out = Console(highlight=False, soft_wrap=True)
        out.print(Text(head, style="bold"))
        for line in lines:
            out.print(Text(line))

    def error(self, code: str, message: str, exit_code: int) -> None:
        self._live.stop()
        self._console.print(Text(f"{code}: {message}", style="bold red"), soft_wrap=True)
        if self._done is not None:
            self.summary(self._done)

    def close(self) -> None:
        """Gives the terminal back as it was."""
        self._live.stop()


def end_of(text: str, cells: int) -> str:
    """As much of the end of a text as fits into so many cells of a terminal; wide characters take two."""
    if cell_len(text) <= cells:
        return text
    end = set_cell_size(text[::-1], max(cells - 1, 1)).rstrip(" ")[::-1]
    return f"…{end}"
