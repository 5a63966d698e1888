"""Rounds as the engine carries them out, with a real Loom and real workers."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from ingests import HOST, SHA256, Story, definition, loom_in, prepare
from programs import age, until

from cortex.catalogue import load
from cortex.engine.scheme import Chosen, make_scheme
from cortex.ingesting import make_files
from cortex.request import Request
from cortex.sources.watched import Changed, Watched
from cortex.watching.quiet import OWNER, Hush, QuietHours
from loom.model import Depth, Pause
from loom.service.loom import LocalLoom

PIPELINE = definition("plain", SHA256)


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[LocalLoom]:
    with loom_in(tmp_path / "data") as loom:
        yield loom


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    for name in ("one", "sub/two"):
        (folder / name).write_text(name)
    age(folder)
    return folder


def round_of(loom: LocalLoom, folder: Path, *changed: Path) -> Story:
    parts = {bytes(folder): Changed(folders=frozenset(map(bytes, changed)))} if changed else {}
    request = Request(paths=(folder,), watched=Watched(ready=lambda *_: True, changed=parts))
    scheme = make_scheme([Chosen(PIPELINE, 0, matched=False)], load(), dry_run=False)
    files = make_files(request, scheme, loom, HOST, dry_run=False)
    story = prepare(loom, folder, PIPELINE, files=files)
    story.ingest.order = replace(story.ingest.order, opens_late=True)
    return story


def carry_out_round(loom: LocalLoom, folder: Path, *changed: Path) -> Story:
    story = round_of(loom, folder, *changed)
    story.ended = story.ingest.run()
    return story


def test_a_run_is_opened_only_where_something_is_to_be_done(loom: LocalLoom, folder: Path) -> None:
    first = carry_out_round(loom, folder)
    assert (first.assets["new"], len(first.summary["runs"])) == (2, 1)
    for changed in ((), (folder,), (folder / "sub",)):
        idle = carry_out_round(loom, folder, *changed)
        assert (idle.summary["runs"], idle.run_events("plain"), idle.assets.get("new")) == ([], [], None)
    (folder / "sub" / "three").write_text("three")
    assert carry_out_round(loom, folder, folder).summary["runs"] == [], "nobody said that something changed there"
    busy = carry_out_round(loom, folder, folder / "sub")
    assert (busy.assets["new"], busy.run_events("plain")) == (1, ["STARTED", "COMPLETED"])
    assert len(loom.runs().items) == 2


def test_a_round_stands_still_in_quiet_hours_and_goes_on_when_they_and_others_let_it(
    loom: LocalLoom, folder: Path
) -> None:
    now = datetime(2026, 11, 21, 22)
    story = round_of(loom, folder)
    ingest, hush = story.ingest, Hush(QuietHours(["22:00-07:00"]), lambda: now)
    ingest.order = replace(ingest.order, steer=hush.steer)
    ingest.helm._steered.pause(Depth.NODE)  # before the clock is looked at: the round would be over by then
    (run,) = ingest.runs
    ingest._stored.open(run)

    def go() -> None:
        story.ended = ingest.run()

    def owners() -> list[str]:
        return [pause.owner for pause in loom.run(run.uuid).paused]

    thread = threading.Thread(target=go)
    thread.start()
    until(lambda: ingest.helm.pause is not None, 10)
    assert (ingest.helm.pause.owner, owners()) == (OWNER, [OWNER])
    loom.pause_run(run.uuid, Pause(owner="ada", reason="backup", depth=Depth.NEW, since=1))
    now = datetime(2026, 11, 22, 7)
    until(lambda: owners() == ["ada"], 10)
    assert run.assets.completed == 0
    loom.resume_run(run.uuid, "ada")
    thread.join(30)
    assert story.assets["new"] == 2
    assert story.heard.notes[0] == "the run is paused by schedule: quiet hours until 07:00"
    assert story.heard.notes[-1] == "the run goes on"
