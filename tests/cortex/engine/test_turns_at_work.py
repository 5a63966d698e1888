"""Real worker processes that take turns over real files, while what is limited changes."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import crowds
import pytest
from crowding import Ingesting
from crowds import BESIDE, FIRST, SECOND, Gates, node
from ingests import SHA256, Story, definition, loom_in, prepare
from programs import until

from cortex import catalogue
from loom.events import NodeEvent
from loom.model import Depth, Pause

Begin = Callable[..., Ingesting]


@pytest.fixture
def gates(tmp_path: Path) -> Gates:
    return Gates(tmp_path / "gates")


@pytest.fixture
def begin(tmp_path: Path, gates: Gates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Begins an ingest of files of these names, each with a gate of that name, with two workers."""
    begun: list[Ingesting] = []
    crowds.install(tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    catalogue.load.cache_clear()
    folder = tmp_path / "texts"
    folder.mkdir()

    def begin(names: str, *nodes: dict[str, Any], workers: int = 2, shut: bool = True, **limits: int) -> Ingesting:
        for name in names.split():
            (folder / f"{name}.txt").write_text(f"{name} is the name")
        if shut:
            gates.make(*names.split())
        named = {name.replace("_", "."): number for name, number in limits.items()}
        chain = nodes or (SHA256, node(gates, FIRST))
        begun.append(
            Ingesting(prepare(loom, folder, definition("crowd", *chain), jobs=workers, concurrency=named), gates)
        )
        return begun[-1]

    with loom_in(tmp_path / "data") as loom:
        yield begin
        for one in begun:
            one.story.ingest._executor.abort()
            gates.open_all()
            one.thread.join(60)
    gates.close()
    catalogue.load.cache_clear()


def test_a_limited_operator_has_so_many_files_at_a_time_and_a_change_holds_at_once(begin: Begin) -> None:
    ingesting = begin("a b c d e", workers=3, crowd_first=1)
    first = ingesting.at_work(1, waiting=2)
    ingesting.limit(crowd_first=2)
    ingesting.at_work(1, waiting=2)  # the smaller number holds, which is this machine's
    ingesting.lift_own()
    ingesting.limit(crowd_first=2)
    second = ingesting.at_work(2, waiting=1)
    assert set(first) < set(second)
    ingesting.limit(crowd_first=1)
    ingesting.gates.open(first[0])
    ingesting.at_work(1, waiting=2)
    ingesting.limit()
    ingesting.at_work(3)
    story = ingesting.ends()
    assert story.assets == {"seen": 5, "new": 5, "completed": 5}
    assert story.nodes("first") == story.nodes("sha256") == {"computed": 5}
    story.check_node_events()


def test_never_two_at_once_while_another_operator_works_beside_it(begin: Begin, gates: Gates) -> None:
    """Some 60 files come to the limited node from three workers."""
    names = " ".join(f"n{number}" for number in range(60))
    chain = node(gates, SECOND), node(gates, FIRST, stay_s=0.01)
    ingesting = begin(names, *chain, workers=3, shut=False, crowd_first=1)
    story = ingesting.ends()
    assert story.nodes("first") == story.nodes("second") == {"computed": 60}
    assert places(story, "first") == {0}


def places(story: Story, node: str) -> set[int]:
    """Where the files were in the node; 0 for one that was alone there."""
    loom = story.ingest.loom
    assert loom is not None
    results = [result for asset in loom.assets(limit=500).items for result in loom.asset_results(asset.uuid)]
    return {result.outputs["place"] for result in results if result.node == node}


def test_another_operator_works_beside_it(begin: Begin, gates: Gates) -> None:
    gates.make("a", "b.second")
    chain = node(gates, SECOND, tag=".second"), node(gates, FIRST)
    ingesting = begin("a b", *chain, shut=False, crowd_first=1)
    assert ingesting.at_work(2) == ["a", "b.second"]
    gates.open("b.second")
    assert ingesting.at_work(1, waiting=1) == ["a"]
    ingesting.ends()


def test_operators_share_a_resource(begin: Begin, gates: Gates) -> None:
    gates.make("a", "b.second")
    chain = node(gates, SECOND, tag=".second"), node(gates, FIRST)
    ingesting = begin("a b", *chain, shut=False, gpu=1)
    (first,) = ingesting.at_work(1, waiting=1)
    ingesting.limit(gpu=2)
    ingesting.at_work(1, waiting=1)
    gates.open(first)
    ingesting.ends()
    assert ingesting.story.assets["completed"] == 2


def test_a_worker_that_is_killed_at_work_leaves_its_turn_and_nobody_is_blamed(begin: Begin, gates: Gates) -> None:
    ingesting = begin("a b", crowd_first=1)
    (killed,) = ingesting.at_work(1, waiting=1)
    os.kill(gates.who_stands_at(killed), signal.SIGKILL)
    until(lambda: gates.reached() not in ([], [killed]))
    story = ingesting.ends()
    assert story.assets == {"seen": 2, "new": 2, "completed": 2}
    assert not story.heard.failures


def test_a_worker_that_is_killed_while_it_waits_is_not_blamed(begin: Begin) -> None:
    ingesting = begin("a b", crowd_first=1)
    for _ in range(3):
        (gate,) = ingesting.at_work(1, waiting=1)
        os.kill(ingesting.who_waits(gate), signal.SIGKILL)
        until(lambda: ingesting.waiting() == 0)
    ingesting.at_work(1, waiting=1)
    story = ingesting.ends()
    assert story.assets == {"seen": 2, "new": 2, "completed": 2}
    assert not story.heard.failures


def test_waiting_is_not_the_node_s_time(begin: Begin) -> None:
    """Nor is it told as STARTED, which a node at work is after half a second."""
    ingesting = begin("a b", crowd_first=1)

    def told(status: str) -> list[NodeEvent]:
        events = [event for _, event in list(ingesting.story.published) if isinstance(event, NodeEvent)]
        return [event for event in events if event.node == "first" and event.status == status]

    ingesting.at_work(1, waiting=1)
    until(lambda: told("STARTED"))
    opened = time.time_ns() // 1000
    assert len(told("STARTED")) == 1
    ingesting.ends()
    first, second = told("STARTED")
    assert first.time < opened <= second.time
    durations = {event.asset: event.duration_us or 0 for event in told("COMPLETED")}
    assert durations[first.asset] >= 500_000 > durations[second.asset]


def test_a_pause_reaches_who_waits(begin: Begin) -> None:
    ingesting = begin("a b", crowd_first=1)
    (first,) = ingesting.at_work(1, waiting=1)
    (run,) = ingesting.story.ingest.runs
    ingesting.loom.pause_run(run.uuid, Pause(owner="user", reason="", depth=Depth.NODE, since=1))
    ingesting.at_work(1, waiting=0)
    ingesting.loom.resume_run(run.uuid, "user")
    assert ingesting.at_work(1, waiting=1) == [first]
    story = ingesting.ends()
    assert story.nodes("first") == story.nodes("sha256") == {"computed": 2}
    story.check_node_events()


def test_interrupted_it_finishes_what_waits(begin: Begin) -> None:
    ingesting = begin("a b", crowd_first=1)
    ingesting.at_work(1, waiting=1)
    ingesting.story.ingest.interrupt()
    ingesting.at_work(1, waiting=1)
    assert ingesting.ends().assets == {"seen": 2, "new": 2, "completed": 2}


def test_interrupted_twice_it_waits_for_nobody(begin: Begin) -> None:
    ingesting = begin("a b", crowd_first=1)
    ingesting.at_work(1, waiting=1)
    ingesting.story.ingest.interrupt()
    ingesting.story.ingest.interrupt()
    ingesting.thread.join(60)
    assert ingesting.story.ended is not None
    assert ingesting.story.ended.exit_code == 130


def test_so_many_worker_processes_have_files_as_jobs_says(begin: Begin, gates: Gates) -> None:
    ingesting = begin("a b c d", jobs=1)
    ingesting.at_work(1)
    assert len(ingesting.hands) == 1, "no more are started than may work"
    ingesting.lift_own()
    ingesting.limit(jobs=2)
    first, _ = ingesting.at_work(2)
    ingesting.limit(jobs=1)
    gates.open(first)
    until(lambda: len(ingesting.hands) == 2 and sum(bool(hand.items) for hand in ingesting.hands) == 1)
    assert len(gates.reached()) == 1
    assert ingesting.ends().assets["completed"] == 4


def test_steps_beside_the_worker_processes_take_turns_too(begin: Begin, gates: Gates) -> None:
    ingesting = begin("a b c d", SHA256, node(gates, BESIDE), network=2)
    turns = ingesting.story.ingest._executor._beside.turns
    until(lambda: len(gates.reached()) == 2 and len(turns._waiting) == 2)
    ingesting.lift_own()
    ingesting.limit(network=3)
    until(lambda: len(gates.reached()) == 3 and len(turns._waiting) == 1)
    ingesting.limit(crowd_beside=1)
    left = gates.reached()[2]
    gates.open(*gates.reached()[:2])
    until(lambda: turns._taken["crowd.beside"] == 1)
    assert (gates.reached(), len(turns._waiting)) == ([left], 1)
    story = ingesting.ends()
    assert story.nodes("beside") == {"computed": 4}
    story.check_node_events()
