import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ingests import SHA256, Faulty, definition, loom_in, prepare

from cortex.engine import ticker
from cortex.engine.telling import Status
from loom.errors import LoomError


class Patiently:
    """Files of a source that waits, after the first, until it was told of often enough."""

    def __init__(self, inner: Any, enough: threading.Event) -> None:
        self._inner = inner
        self._enough = enough

    def __iter__(self) -> Iterator[Any]:
        yield from self._inner
        assert self._enough.wait(20)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.mark.parametrize("fault", [None, LoomError("DATABASE_BUSY")])
def test_it_tells_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: LoomError | None) -> None:
    """Also while Loom cannot be told of progress."""
    monkeypatch.setattr(ticker, "TICK_S", 0.01)
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "one.txt").write_text("one")
    told: list[Status] = []
    enough = threading.Event()

    def status(one: Status) -> None:
        told.append(one)
        if one.files_done == 1 and one.files_total == 7 and len(told) > 2 * ticker.PROGRESS_EVERY:
            enough.set()

    with loom_in(tmp_path / "data") as loom:
        faulty = Faulty(loom, **({} if fault is None else {"progress": fault}))
        story = prepare(faulty, folder, definition("plain", SHA256))
        story.ingest.files = Patiently(story.ingest.files, enough)
        story.ingest.order = replace(story.ingest.order, total=lambda _: (7, 700))
        monkeypatch.setattr(story.heard, "status", status)
        assert story.ingest.run().exit_code == 0
    assert told[-1].bytes_total == 700
    assert told[-1].bytes_done == 3
    assert "progress" in [verb for verb, _ in faulty.said]
