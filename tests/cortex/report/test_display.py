from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
from realmedia import RealMedia
from rich.cells import cell_len
from rich.console import Console

from cortex.app import ingest_paths
from cortex.engine.summary import nothing_done
from cortex.engine.telling import Status
from cortex.report.display import SHOWN_FILES, TerminalReporter, end_of
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


def test_what_was_done_is_told_after_the_error_that_ended_it(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = TerminalReporter()
    reporter.broken({**nothing_done(), "pipeline": "ingest"})
    reporter.error("DISK_FULL", "no room", 1)
    told = capsys.readouterr()
    assert "DISK_FULL: no room" in told.err
    assert told.out.startswith("Run of pipeline ingest could not be done: 0 files seen")


@pytest.mark.parametrize("text", ["/a/b.jpg", "/folder/" + "家族" * 30 + ".jpg", "x" * 300 + ".jpg"])
@pytest.mark.parametrize("cells", [20, 21, 38])
def test_of_a_long_name_the_end_is_shown(text: str, cells: int) -> None:
    shown = end_of(text, cells)
    assert cell_len(shown) <= cells
    assert shown.endswith(text[-6:])
    assert shown == text or (shown.startswith("…") and text.endswith(shown[1:]))


@pytest.mark.parametrize("width", [40, 80])
def test_it_fits_into_a_narrow_terminal(width: int) -> None:
    reporter = TerminalReporter()
    screen = io.StringIO()
    reporter._console = Console(file=screen, width=width, highlight=False)
    reporter._title = "a-pipeline-with-a-very-long-name-that-takes-all-the-room-there-is"
    paths = tuple(f"/folder/{'家族' * 30}/{index}.jpg" for index in range(SHOWN_FILES + 3))
    status = Status(10.0, 50_000, 100_000, 10**9, 4 * 10**9, 0, 7, paths, fraction=0.5, seconds_left=4000.0)
    reporter.status(status._replace(files_per_s=1000.0))
    reporter._console.print(reporter._live.renderable)
    lines = screen.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= width
    assert "50%" in lines[0]
    assert " ".join(line.strip() for line in lines).count(".jpg") == SHOWN_FILES
    assert lines[-1].strip() == "and 3 more"
    assert "1 h 6 min left" in " ".join(map(str.strip, lines))
