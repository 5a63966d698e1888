from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from cortex.engine.entry import Entry
from cortex.engine.intentions import Intentions
from loom.errors import LoomError
from loom.model import Action


def action() -> Action:
    return Action(uuid4(), "copied", b"", b"", b"", b"", 0, 0)


def entry() -> Entry:
    return Entry(0, None)  # type: ignore[arg-type]


@pytest.fixture
def run() -> Any:
    return SimpleNamespace(uuid=uuid4())


def test_those_that_wait_are_told_together(run: Any) -> None:
    told: list[int] = []
    first, go_on = threading.Event(), threading.Event()

    def tell(its: Any, ahead: Any, dropped: Any) -> None:
        assert its is run
        if not told:
            first.set()
            assert go_on.wait(30)
        told.append(len(ahead))

    intentions = Intentions(tell)
    threads = [threading.Thread(target=intentions.intend, args=(run, entry(), action())) for _ in range(9)]
    threads[0].start()
    assert first.wait(30)
    for thread in threads[1:]:
        thread.start()
    while len(intentions._waiting) < 8:
        threading.Event().wait(0.001)
    go_on.set()
    for thread in threads:
        thread.join()
    assert told == [1, 8]


def test_what_nothing_came_of_is_told_with_the_next(run: Any) -> None:
    told: list[tuple[int, list[Any]]] = []
    intentions = Intentions(lambda _, ahead, dropped: told.append((len(ahead), list(dropped))))
    one, done, vain = entry(), action(), action()
    intentions.intend(run, one, vain)
    intentions.intend(run, one, done)
    one.actions.append(done)
    intentions.drop_vain(run, one)
    assert one.intended == []
    intentions.intend(run, entry(), action())
    assert told == [(1, []), (1, []), (1, [vain.uuid])]
    other, last = entry(), action()
    intentions.intend(run, other, last)
    intentions.drop_vain(run, other)
    intentions.close()
    assert told[-1] == (0, [last.uuid])


def test_what_cannot_be_written_down_is_not_to_be_done(run: Any, tmp_path: Path) -> None:
    def away(*_: Any) -> None:
        raise LoomError("LOOM_UNREACHABLE")

    intentions, one = Intentions(away, tmp_path / "doing"), entry()
    with pytest.raises(LoomError) as refused:
        intentions.intend(run, one, action())
    assert refused.value.code == "LOOM_UNREACHABLE"
    intentions.drop_vain(run, one)
    intentions.close()
    assert list((tmp_path / "doing").iterdir()) == []
