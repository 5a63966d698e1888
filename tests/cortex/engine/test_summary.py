from collections.abc import Callable
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from cortex.engine.records import Lane
from cortex.engine.summary import nothing_done, summarise
from cortex.engine.tally import LaneRun, WouldWrite
from loom.graph.plan import AssetFilter
from loom.model import AssetCounts, RunState


@pytest.fixture
def make_run(make_plan: Callable[..., Any], make_step: Callable[..., Any]) -> Callable[..., LaneRun]:
    def make(pipeline: str, version: int, *, opened: bool) -> LaneRun:
        plan = msgspec.structs.replace(make_plan(make_step(0, "a")), pipeline=pipeline)
        return LaneRun(Lane(AssetFilter(), plan), uuid4(), version, {}, bytes_read=10, opened=opened)

    return make


def summary(*runs: LaneRun, dry_run: bool = False, would: WouldWrite | None = None) -> dict[str, Any]:
    return summarise(
        runs, AssetCounts(seen=2), state=RunState.COMPLETED, seconds=1.23456, dry_run=dry_run,
        unreachable=["/away"], passed_over=3, would_write=would,
    )  # fmt: skip


def test_of_one_run(make_run: Callable[..., LaneRun]) -> None:
    run = make_run("plain", 3, opened=True)
    told = summary(run)
    assert (told["run"], told["runs"], told["pipeline"], told["version"]) == (str(run.uuid),) * 1 + (
        [str(run.uuid)], "plain", 3,
    )  # fmt: skip
    assert told["nodes"] == {"a": {"computed": 0, "cached": 0, "remote": 0, "skipped": 0, "failed": 0}}
    assert (told["state"], told["seconds"], told["bytes"], told["assets"]["seen"]) == ("COMPLETED", 1.235, 10, 2)
    assert (told["would_write"], told["passed_over"]) == (None, 3)


def test_of_several_it_names_the_first_that_had_something_to_do(make_run: Callable[..., LaneRun]) -> None:
    idle, busy = make_run("idle", 1, opened=False), make_run("busy", 2, opened=True)
    told = summary(idle, busy)
    assert (told["run"], told["pipeline"], told["version"]) == (str(busy.uuid), "busy", 2)
    assert told["runs"] == [str(busy.uuid)]
    assert set(told["nodes"]) == {"idle/a", "busy/a"}
    assert told["bytes"] == 20


def test_of_a_dry_run(make_run: Callable[..., LaneRun]) -> None:
    told = summary(make_run("plain", 1, opened=False), dry_run=True, would=WouldWrite(effects=["x"], more_effects=2))
    assert (told["run"], told["runs"]) == (None, [])
    assert told["would_write"]["effects"] == ["x", "… and 2 more"]


def test_an_ingest_that_never_began_has_the_same_fields(make_run: Callable[..., LaneRun]) -> None:
    assert nothing_done().keys() == summary(make_run("plain", 1, opened=True)).keys()
