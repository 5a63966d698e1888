"""`cortex watch` of a store: a real server of SFTP, a real process."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from programs import CORTEX, Running, age, query, until
from remotes import PASSWORD, SftpRemote, say
from watches import LOCATIONS, STATES


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    photos = tmp_path / "served/photos"
    photos.mkdir(parents=True)
    for number in range(20):
        (photos / f"{number}.txt").write_text(f"number {number}")
    age(photos)
    return photos


@pytest.fixture
def remote(photos: Path, environment: dict[str, str]) -> Iterator[SftpRemote]:
    home = Path(environment["HOME"])
    home.mkdir(parents=True, exist_ok=True)
    remote = SftpRemote(photos.parent, home)
    say(home, PASSWORD)
    yield remote
    remote.close()


@pytest.fixture
def pipeline(remote: SftpRemote, tmp_path: Path) -> Path:
    source = {"id": "files", "operator": "source.fsspec", "config": {"url": f"{remote.url}/photos"}}
    nodes = [source, {"id": "sha256", "operator": "hash.sha256"}]
    edges = [{"from": {"node": "files"}, "to": {"node": "sha256"}}]
    path = tmp_path / "photos.json"
    path.write_text(json.dumps({"schema_version": 1, "name": "photos", "graph": {"nodes": nodes, "edges": edges}}))
    return path


@pytest.mark.slow
def test_a_store_is_watched_as_a_folder_is(
    remote: SftpRemote, photos: Path, pipeline: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    def states() -> dict[str, str]:
        found: list[Any] = []
        with suppress(sqlite3.OperationalError):  # it is only being made
            found = query(tmp_path / "data", LOCATIONS)
        return {path.rpartition("/")[2]: STATES[state] for path, state in found}

    def notes(running: Running) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in running.out.splitlines() if line.endswith("}")]
        return [line for line in lines if line["message_type"] == "note"]

    given = ("--pipeline", pipeline, "--rescan", 1, "--json")
    watching = Running(CORTEX, "watch", *given, env=environment, folder=tmp_path)
    try:
        until(lambda: list(states().values()) == ["present"] * 20, 30)
        listed, read = remote.listed, len(remote.read)
        until(lambda: remote.listed > listed + 1, 30)
        assert len(remote.read) == read, "what has not changed is not read again"
        assert query(tmp_path / "data", "SELECT count(*) FROM runs") == [(1,)], "rounds for nothing leave no trace"

        (photos / "new.txt").write_text("new")
        (photos / "1.txt").write_text("changed")
        (photos / "2.txt").unlink()
        until(lambda: (states().get("new.txt"), states().get("2.txt")) == ("present", "missing"), 30)
        until(lambda: {"1.txt", "new.txt"} <= set(remote.read[read:]), 30)

        for number in range(3, 18):
            (photos / f"{number}.txt").unlink()
        until(lambda: any(note.get("about") == "deletions" for note in notes(watching)), 30)
        asked = next(note for note in notes(watching) if note.get("about") == "deletions")
        assert (asked["gone"], asked["confirm"]) == (15, f"cortex ingest --pipeline {pipeline}")
        assert states()["3.txt"] == "present"

        shutil.move(photos, tmp_path / "aside")
        until(lambda: states()["0.txt"] == "unreachable", 30)
        shutil.move(tmp_path / "aside", photos)
        until(lambda: states()["0.txt"] == "present", 30)
        watching.signal(15)
        done = watching.wait(20)
        assert done.code == 0, done.err
        assert PASSWORD not in done.err + done.out
        watching.leaves_nobody()
    finally:
        watching.kill()
