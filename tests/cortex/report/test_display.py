from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
from realmedia import RealMedia
from rich.console import Console

from cortex.app import ingest_paths
from cortex.report.display import TerminalReporter
from cortex.request import Request

HIDDEN, SHOWN = "\x1b[?25l", "\x1b[?25h"


class _Terminal(TerminalReporter):
    """Draws on a terminal in memory, until something comes in between."""

    def __init__(self, between: BaseException) -> None:
        super().__init__()
        self.screen = io.StringIO()
        self._live.console = self._console = Console(file=self.screen, force_terminal=True, highlight=False)
        self._between = between

    def begin(self, pipelines: list[str], *, dry_run: bool) -> None:
        super().begin(pipelines, dry_run=dry_run)
        raise self._between


@pytest.mark.parametrize("between", [KeyboardInterrupt(), RuntimeError("a fault of the program")])
def test_the_terminal_is_given_back_however_it_ends(
    media: RealMedia, data_dir: Path, tmp_path: Path, between: BaseException
) -> None:
    (tmp_path / "photo.jpg").write_bytes(media.photo().read_bytes())
    terminal = _Terminal(between)
    with contextlib.suppress(RuntimeError):
        ingest_paths(Request(paths=(tmp_path,), jobs=1), terminal)
    drawn = terminal.screen.getvalue()
    assert HIDDEN in drawn
    assert drawn.rindex(SHOWN) > drawn.rindex(HIDDEN)
    assert not terminal._live.is_started
