"""A process that is killed while a sink is at work on a file: what became of it is found out, and can be undone."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dyingsinks import AHEAD, DONE, install
from ingests import SHA256, definition
from programs import CORTEX, Done, Running, Server, environment, query

STATES = ("BEGUN", "DONE", "UNDONE", "FAILED")


class Place:
    """A text and three photographs, and a pipeline that does something with each of these; `to` is where things go."""

    def __init__(self, folder: Path, photo: Path, kind: str) -> None:
        self.folder, self.to, self.photos = folder, folder / "to", folder / "photos"
        self.to.mkdir()
        self.photos.mkdir()
        for name in ("a.jpg", "b.jpg", "dying.jpg"):
            (self.photos / name).write_bytes(photo.read_bytes() + name.encode())
        (self.photos / "list.txt").write_text("three photographs\n")
        config: dict[str, Any] = {"to": str(self.to)}
        if kind == "sidecar":
            config |= {"values": {"title": "sha256.sha256"}}
        if kind == "move":
            config |= {"confirm": True}
        self.pipeline = folder / "dying.json"
        sink = {"id": "sink", "operator": f"dying.{kind}", "config": config, "filter": {"kinds": ["image"]}}
        self.pipeline.write_text(json.dumps(definition("dying", SHA256, sink)))
        self.env = environment(folder, PYTHONPATH=install(folder / "site"), CORTEX_JOBS="1")
        self.database = folder / "data"

    def cortex(self, *arguments: object, command: tuple[str, ...] = CORTEX, **more: str) -> Done:
        running = Running(command, *arguments, env={**self.env, **more}, folder=self.folder)
        done = running.wait()
        running.leaves_nobody()
        return done

    def ingest(self, **more: str) -> Done:
        return self.cortex("ingest", self.photos, "--pipeline", self.pipeline, "--json", **more)

    def actions(self) -> list[tuple[str, str]]:
        """State and file of each, in the order in which they were written down."""
        rows = query(self.database, "SELECT state, origin FROM actions ORDER BY id")
        return [(STATES[state], Path(origin.decode()).name) for state, origin in rows]

    def of_dying(self) -> list[str]:
        return [state for state, name in self.actions() if name == "dying.jpg"]

    def run(self) -> str:
        """The run that was killed."""
        ((run,),) = query(self.database, "SELECT DISTINCT hex(run) FROM actions ORDER BY id LIMIT 1")
        return str(run)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path, real_image: Path) -> Iterator[Place]:
    made = Place(tmp_path, real_image, getattr(request, "param", "move"))
    yield made
    shutil.rmtree(made.to)


@pytest.mark.parametrize("place", ["move", pytest.param("copy", marks=pytest.mark.slow), "sidecar"], indirect=True)
def test_what_was_done_before_the_kill_is_recorded_and_undone(place: Place) -> None:
    before = sorted(path.name for path in place.photos.iterdir())
    assert place.ingest(DYING=DONE).code == -signal.SIGKILL
    assert place.of_dying() == ["BEGUN"]
    undone = place.cortex("undo", "--run", place.run(), "--json")
    assert undone.code == 0, undone.err
    assert place.of_dying() == ["UNDONE"]
    assert not [path for path in place.to.iterdir() if path.name.startswith("dying")]
    assert "dying.jpg" in {path.name for path in place.photos.iterdir()} <= set(before)
    assert not list((place.folder / "meta" / "doing").iterdir())


def test_what_was_not_done_before_the_kill_is_done_by_the_next_run(place: Place) -> None:
    assert place.ingest(DYING=AHEAD).code == -signal.SIGKILL
    assert (place.photos / "dying.jpg").exists()
    done = place.ingest()
    assert (done.code, place.of_dying()) == (0, ["FAILED", "DONE"]), done.err
    assert "killed" in done.err
    assert sorted(path.name for path in place.to.iterdir()) == ["a.jpg", "b.jpg", "dying.jpg"]


@pytest.mark.slow
def test_the_same_with_a_server_that_takes_the_run_for_going_on(place: Place) -> None:
    server = Server(place.env, place.folder)
    server.start()
    try:
        place.env.update(LOOM_URL=server.url, LOOM_TOKEN=server.token)
        place.database = server.data
        assert place.ingest(DYING=DONE).code == -signal.SIGKILL
        assert place.of_dying() == ["BEGUN"]
        assert [run["state"] for run in server.get("/runs")["items"]] == ["RUNNING"]
        done = place.ingest()
        assert (done.code, place.of_dying()) == (0, ["DONE"]), done.err
        assert sorted(path.name for path in place.to.iterdir()) == ["a.jpg", "b.jpg", "dying.jpg"]
    finally:
        server.stop()
