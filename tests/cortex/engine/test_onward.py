import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ingests import COLLECT, SHA256, STORED, carry_out, definition, loom_in, prepare
from programs import until

from cortex.node import NodeContext
from cortex.operators.sinks.stored import Collect
from loom.model import Depth
from loom.service.loom import LocalLoom


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[LocalLoom]:
    with loom_in(tmp_path / "data") as loom:
        yield loom


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    folder.mkdir()
    for number in range(30):
        (folder / f"{number:02}.txt").write_text(f"{number}\n")
    return folder


class Gate:
    """Holds up the effect of one file until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.opened = threading.Event()
        self.reached = threading.Event()
        self.done: list[str] = []
        own = Collect.compute

        def compute(node: Collect, ctx: NodeContext, media: Any) -> None:
            if Path(media.path).name == name:
                self.reached.set()
                assert self.opened.wait(60)
            own(node, ctx, media)
            self.done.append(Path(media.path).name)

        monkeypatch.setattr(Collect, "compute", compute)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(monkeypatch, "07.txt")
    yield gate
    gate.opened.set()


def test_one_effect_that_takes_long_holds_up_no_other_result(loom: LocalLoom, folder: Path, held: Gate) -> None:
    """Neither the effects of other files nor what is stored of them."""
    story = prepare(loom, folder, definition("keeps", SHA256, COLLECT, STORED))
    thread = story.in_background()
    until(lambda: story.asset_events() == ["COMPLETED"] * 29)
    assert held.reached.is_set()
    assert "07.txt" not in held.done
    held.opened.set()
    thread.join()
    assert story.assets == {"seen": 30, "new": 30, "completed": 30}
    assert sorted(held.done) == sorted(path.name for path in folder.iterdir())
    story.check_node_events()


def test_nothing_stored_is_done_again(loom: LocalLoom, folder: Path, held: Gate) -> None:
    held.opened.set()
    pipeline = definition("keeps", SHA256, COLLECT)
    carry_out(loom, folder, pipeline)
    held.done.clear()
    carry_out(loom, folder, pipeline, matched=False)
    assert held.done == []


def test_an_effect_waits_for_the_end_of_a_pause(loom: LocalLoom, folder: Path, held: Gate) -> None:
    """One that is at work is finished; the next of the same asset begins afterwards."""
    again = {**COLLECT, "id": "again", "config": {"collection": "more"}}
    story = prepare(loom, folder, definition("keeps", SHA256, COLLECT, STORED, again))
    thread = story.in_background()
    until(held.reached.is_set)
    until(lambda: story.asset_events() == ["COMPLETED"] * 29)
    story.ingest._executor.pause(Depth.NODE)
    held.opened.set()
    until(lambda: held.done.count("07.txt") == 1)
    story.ingest._executor.pause(None)
    thread.join()
    assert held.done.count("07.txt") == 2
