"""`cortex watch` by the clock: quiet hours and a schedule. Each watch has a local time of its own."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import age, until
from watches import Watching

NIGHT = ("--quiet-hours", "22:00-07:00")


def local(hour: int, minute: int, second: int) -> str:
    """A zone in which it is that time now."""
    west = (int(time.time()) - hour * 3600 - minute * 60 - second) % 86400
    return f"TEST{west // 3600}:{west // 60 % 60:02}:{west % 60:02}"


def test_nothing_is_begun_in_quiet_hours(start: Callable[..., Watching]) -> None:
    watching = start(*NIGHT, TZ=local(23, 30, 0))
    until(lambda: "quiet hours until 07:00" in watching.running.err)
    done = watching.stop()
    assert (done.code, done.out) == (0, "")
    assert not (watching.data / "loom.db").exists()


@pytest.mark.slow
def test_what_was_gathered_is_done_when_they_end(start: Callable[..., Watching], texts: Path) -> None:
    watching = start(*NIGHT, "--settle", 0.5, TZ=local(6, 59, 52))
    until(lambda: "quiet hours until 07:00" in watching.running.err)
    (texts / "three.txt").write_text("the third")
    assert not (watching.data / "loom.db").exists()
    until(lambda: "COMPLETED" in watching.running.out, 30)
    watching.has("three.txt")
    assert watching.states["one.txt"] == "present"


@pytest.mark.slow
def test_a_round_stands_still_when_they_begin_and_is_left_when_it_is_to_end(
    start: Callable[..., Watching], texts: Path, cortex: Callable[..., Any]
) -> None:
    for number in range(400):
        (texts / f"{number}.txt").write_text(f"{number} " * 250)
    age(texts)
    watching = start(*NIGHT, TZ=local(21, 59, 54), CORTEX_READ_LIMIT="4KB")
    until(lambda: "paused by schedule: quiet hours until 07:00" in watching.running.err, 30)
    told = cortex("runs", "list")
    assert "paused by schedule (quiet hours until 07:00)" in told.out, told
    assert watching.stop().code == 0
    watching.running.leaves_nobody()
    assert len(watching.states) < 402
    again = start(TZ=local(12, 0, 0))
    until(lambda: len(again.states) == 402)


@pytest.mark.slow
def test_folders_are_walked_whole_by_a_schedule(
    start: Callable[..., Watching], texts: Path, cortex: Callable[..., Any]
) -> None:
    """Only then are files done again under a new version of their pipeline."""
    watching = start("--schedule", "* * * * *", TZ=local(2, 59, 45))
    until(lambda: "COMPLETED" in watching.running.out)
    changed = texts.parent / "ingest.yaml"
    changed.write_text(cortex("pipeline", "pull", "ingest", "--format", "yaml").out.replace("sha256", "sha512"))
    assert cortex("pipeline", "push", changed).code == 0
    done = "SELECT count(DISTINCT asset) FROM outcomes WHERE run = 2"
    until(lambda: watching.ask(done) == [(2,)], 75)


def test_what_is_no_time_is_wrong_usage(cortex: Callable[..., Any], texts: Path) -> None:
    for arguments in [
        ("--schedule", "at night"),
        ("--schedule", "0 3 * * *", "--rescan", 60),
        ("--quiet-hours", "at night"),
    ]:
        done = cortex("watch", texts, *arguments)
        assert ("USAGE" in done.err, done.code) == (True, 2), done.err
