import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ingests import SHA256, Faulty, definition, loom_in, prepare

from cortex.engine import outlook, ticker
from cortex.engine.costs import Amount
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


def seven_files() -> Amount:
    total = Amount()
    for _ in range(7):
        total.add(0, 100)
    return total


@pytest.mark.parametrize("fault", [None, LoomError("DATABASE_BUSY")])
def test_it_tells_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: LoomError | None) -> None:
    """Also while Loom cannot be told of progress."""
    monkeypatch.setattr(ticker, "TICK_S", 0.01)
    monkeypatch.setattr(outlook, "_SURELY_AFTER_S", 0.0)
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "one.txt").write_text("one")
    told: list[Status] = []
    enough = threading.Event()

    def status(one: Status) -> None:
        told.append(one)
        if sum(one.files_total == 7 and one.seconds_left is not None for one in told) > 2 * ticker.PROGRESS_EVERY:
            enough.set()

    with loom_in(tmp_path / "data") as loom:
        faulty = Faulty(loom, **({} if fault is None else {"progress": fault}))
        story = prepare(faulty, folder, definition("plain", SHA256))
        story.ingest.files = Patiently(story.ingest.files, enough)
        story.ingest.order = replace(story.ingest.order, total=lambda _: seven_files())
        monkeypatch.setattr(story.heard, "status", status)
        assert story.ingest.run().exit_code == 0
    (waiting,) = {(one.files_total, one.bytes_total) for one in told if one.files_total == 7}
    assert waiting == (7, 700)
    assert told[-1].bytes_done == 3
    fractions = [one.fraction for one in told if one.fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[0] == pytest.approx((1 / 7 + 3 / 700) / 2)
    assert "costs" in {verb for verb, _ in faulty.said}
    progress = [arguments[1] for verb, arguments in faulty.said if verb == "progress"]
    shown = {(one.fraction, one.seconds_left) for one in told}
    assert {(one.fraction, one.seconds_left) for one in progress} <= shown, "the bus is told what the display shows"
    assert any(one.total == 7 and one.seconds_left is not None for one in progress)
