"""Runs of this process that Loom pauses and cancels: a real Loom, real worker processes."""

import time
from pathlib import Path

import pytest
from ingests import SHA256, THUMBNAIL, Story, definition, loom_in, prepare
from programs import until

from loom.model import Depth, Pause
from loom.service.loom import LocalLoom
from loom.steering import RunOrders


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(400):
        (folder / f"{number}.txt").write_text(f"text {number}")
    return folder


@pytest.mark.parametrize("depth", list(Depth))
def test_a_paused_run_stands_still_and_ends_as_if_it_never_had(tmp_path: Path, texts: Path, depth: Depth) -> None:
    with loom_in(tmp_path / "data") as loom:
        story = prepare(loom, texts, definition("plain", SHA256, THUMBNAIL), jobs=2)
        ingest = story.ingest
        ingest.helm._steered.pause(depth)  # before Loom is asked: the run would be over by then
        thread = story.in_background()
        (run,) = ingest.runs
        until(lambda: run.opened)
        loom.pause_run(run.uuid, Pause(owner="user", reason="backup", depth=depth, since=1))
        until(lambda: ingest.helm.pause is not None)
        done = run.assets.seen
        time.sleep(0.3)
        assert run.assets.seen == done == 0
        assert [pause.owner for pause in loom.run(run.uuid).paused] == ["user"]
        loom.resume_run(run.uuid, "user")
        thread.join(30)
        assert story.assets == {"seen": 400, "new": 400, "completed": 400}
        assert story.nodes("sha256") == {"computed": 400}
        assert [note for note in story.heard.notes if "run" in note] == [
            "the run is paused by user: backup", "the run goes on",
        ]  # fmt: skip
    story.check_node_events()


@pytest.mark.parametrize("depth", [None, Depth.NODE])
def test_a_cancelled_run_ends_and_stays_so(tmp_path: Path, texts: Path, depth: Depth | None) -> None:
    with loom_in(tmp_path / "data") as loom:
        story = prepare(loom, texts, definition("plain", SHA256))
        story.ingest.helm._steered.pause(depth or Depth.NEW)
        thread = story.in_background()
        (run,) = story.ingest.runs
        until(lambda: run.opened)
        if depth is not None:
            loom.pause_run(run.uuid, Pause(owner="user", reason="", depth=depth, since=1))
            until(lambda: story.ingest.helm.pause is not None)
        loom.cancel_run(run.uuid)
        thread.join(30)
        assert story.summary["state"] == loom.run(run.uuid).state == "CANCELLED"
        assert story.summary["assets"]["seen"] < 400


def test_only_the_owner_lifts_a_pause(tmp_path: Path, texts: Path) -> None:
    with loom_in(tmp_path / "data") as loom:
        paused_by_two(loom, prepare(loom, texts, definition("plain", SHA256)))


def paused_by_two(loom: LocalLoom, story: Story) -> None:
    story.ingest.helm._steered.pause(Depth.NEW)
    thread = story.in_background()
    (run,) = story.ingest.runs
    until(lambda: run.opened)
    for owner in ("user", "schedule"):
        loom.pause_run(run.uuid, Pause(owner=owner, reason="", depth=Depth.NEW, since=1))
    until(lambda: story.ingest.helm.pause is not None)
    loom.resume_run(run.uuid, "user")
    time.sleep(0.8)
    assert story.ingest.helm.pause is not None
    loom.resume_run(run.uuid, "schedule")
    thread.join(30)
    assert story.assets["completed"] == 400


@pytest.mark.parametrize("depth", list(Depth))
def test_a_pause_in_the_middle_loses_nothing_and_does_nothing_twice(tmp_path: Path, texts: Path, depth: Depth) -> None:
    with loom_in(tmp_path / "data") as loom:
        story = prepare(loom, texts, definition("plain", SHA256, THUMBNAIL), jobs=2)
        (run,) = story.ingest.runs
        thread = story.in_background()
        for _ in range(3):
            seen = run.assets.seen
            until(lambda seen=seen: run.assets.seen > seen or not thread.is_alive())
            pauses = (Pause(owner="user", reason="", depth=depth, since=1),)
            story.ingest.helm.obey([RunOrders(run=run.uuid, pauses=pauses)])
            time.sleep(0.1)
            story.ingest.helm.obey([RunOrders(run=run.uuid)])
        thread.join(30)
        assert story.assets == {"seen": 400, "new": 400, "completed": 400}
        assert story.nodes("sha256") == {"computed": 400}
    story.check_node_events()
