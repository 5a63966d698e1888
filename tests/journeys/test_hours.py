"""`cortex watch` by the clock: quiet hours and a schedule. Each watch has a local time of its own."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import age, until
from watches import Watching

NIGHT = ("--quiet-hours", "22:00-07:00")
QUIET = "quiet hours until 07:00"
EARLIER = (53, 30, 0)
"""Seconds of a minute at which a watch is started that must have begun at its end: the next where it had not."""


def local(hour: int, minute: int, second: int) -> str:
    """A zone in which it is that time now."""
    west = (int(time.time()) - hour * 3600 - minute * 60 - second) % 86400
    return f"TEST{west // 3600}:{west // 60 % 60:02}:{west % 60:02}"


def test_nothing_is_begun_in_quiet_hours(start: Callable[..., Watching]) -> None:
    watching = start(*NIGHT, TZ=local(23, 30, 0))
    until(lambda: QUIET in watching.running.err)
    done = watching.stop()
    assert (done.code, done.out) == (0, "")
    assert not (watching.data / "loom.db").exists()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_was_gathered_is_done_when_they_end(start: Callable[..., Watching], texts: Path) -> None:
    for number, second in enumerate(EARLIER):  # it may take a while to begin
        data = texts.parent / f"data-{number}"
        watching = start(*NIGHT, "--settle", 0.5, data=data, TZ=local(6, 59, second), LOOM_DATA_DIR=str(data))
        until(lambda of=watching.running: QUIET in of.err or "COMPLETED" in of.out)
        if QUIET in watching.running.err:
            break
        watching.running.kill()
    (texts / "three.txt").write_text("the third")
    until(lambda: "COMPLETED" in watching.running.out, 120)
    watching.has("three.txt")
    assert watching.states["one.txt"] == "present"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_round_stands_still_when_they_begin_and_is_left_when_it_is_to_end(
    start: Callable[..., Watching], texts: Path, cortex: Callable[..., Any]
) -> None:
    for number in range(400):
        (texts / f"{number}.txt").write_text(f"{number} " * 250)
    age(texts)
    for second in EARLIER:  # it may take a while to begin
        watching = start(*NIGHT, TZ=local(21, 59, second), CORTEX_READ_LIMIT="4KB")
        until(lambda of=watching.running: QUIET in of.err, 120)
        if f"paused by schedule: {QUIET}" in watching.running.err:
            break
        watching.running.kill()
    told = cortex("runs", "list")
    assert f"paused by schedule ({QUIET})" in told.out, told
    assert watching.stop().code == 0
    watching.running.leaves_nobody()
    assert len(watching.states) < 402
    again = start(TZ=local(12, 0, 0))
    until(lambda: len(again.states) == 402)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_folders_are_walked_whole_by_a_schedule(
    start: Callable[..., Watching], texts: Path, cortex: Callable[..., Any]
) -> None:
    """Only then is it seen what changes behind a link."""
    nodes = [
        {"id": "files", "operator": "source.filesystem", "config": {"follow_symlinks": True}},
        {"id": "sha256", "operator": "hash.sha256"},
    ]
    edges = [{"from": {"node": "files"}, "to": {"node": "sha256"}}]
    linking = texts.parent / "linking.json"
    linking.write_text(json.dumps({"schema_version": 1, "name": "linking", "graph": {"nodes": nodes, "edges": edges}}))
    assert cortex("pipeline", "push", linking).code == 0
    outside = texts.with_name("outside")
    outside.mkdir()
    (texts / "link").symlink_to(outside)
    watching = start("--schedule", "* * * * *", "--pipeline", "linking", TZ=local(2, 59, 45))
    until(lambda: "COMPLETED" in watching.running.out)
    (outside / "three.txt").write_text("the third")
    until(lambda: watching.states.get("../outside/three.txt") == "present", 110)


def test_what_is_no_time_is_wrong_usage(cortex: Callable[..., Any], texts: Path) -> None:
    for arguments in [
        ("--schedule", "at night"),
        ("--schedule", "0 3 * * *", "--rescan", 60),
        ("--quiet-hours", "at night"),
    ]:
        done = cortex("watch", texts, *arguments)
        assert ("USAGE" in done.err, done.code) == (True, 2), done.err
