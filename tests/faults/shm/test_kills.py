"""Whoever of a process pipeline is killed, whenever: the others hear of it, and nothing is left."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from programs import WAIT_S, Running, session_of, until
from shmtasks import EVER, check, check_each, drain, notes, numbers, numbers_until, pipeline, poll, to

from cortex import shm

PARENT = Path(__file__).parents[2] / "support" / "shmparent.py"

FEW_AND_MANY = [16, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
FEWER_AND_MANY = [3, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]


def written(pipe: shm.Pipeline) -> int:
    return pipe.ring("raw").stats().written


def kill(pipe: shm.Pipeline, task: str) -> float:
    """Kills the process of a task; when."""
    sample = pipe.metrics(task)
    assert sample is not None
    assert sample.pid is not None
    os.kill(sample.pid, signal.SIGKILL)
    return time.monotonic()


def until_the_writer_goes_on(rng: random.Random, seen: Path) -> float:
    """Seconds since its reader was killed."""
    frames = rng.choice([1, 2, 8])
    pipe = pipeline().add_stream("raw", shape=(40, 30), dtype="u1", frames=frames).add_event("enough")
    pipe.add_task("source", fn=numbers_until, writes={"out": "raw"}, events={"enough": "enough"})
    pipe.add_task("victim", fn=rng.choice([poll, drain]), reads={"inp": "raw"})
    pipe.add_task("other", fn=to(seen, check), reads={"inp": "raw"})
    with pipe:
        pipe.start()
        until(lambda: written(pipe) > 0)
        time.sleep(rng.uniform(0, 0.03))
        killed, until_then = kill(pipe, "victim"), written(pipe)
        until(lambda: written(pipe) > until_then + frames)
        delay = time.monotonic() - killed
        pipe.event("enough").signal()
        with pytest.raises(shm.TaskError, match="'victim' failed: it was killed by SIGKILL"):
            pipe.join()
        assert notes(seen) == [{"stream": "raw", "first": 0, "last": written(pipe) - 1, "broken": False}]
    return delay


def until_readers_see_the_end(rng: random.Random, seen: Path) -> float:
    """Seconds since their writer was killed."""
    pipe = pipeline().add_stream("raw", shape=(40, 30), dtype="u1", frames=rng.choice([1, 2, 8]))
    pipe.add_task("source", fn=numbers, writes={"out": "raw"})
    for reader in "ab":
        pipe.add_task(reader, fn=to(seen, check), reads={"inp": "raw"})
    with pipe:
        pipe.start()
        until(lambda: written(pipe) > 0)
        time.sleep(rng.uniform(0, 0.03))
        killed = kill(pipe, "source")
        until(lambda: len(notes(seen)) == 2)
        delay = time.monotonic() - killed
        with pytest.raises(shm.TaskError, match="'source' failed: it was killed by SIGKILL"):
            pipe.join()
        assert notes(seen) == [{"stream": "raw", "first": 0, "last": written(pipe) - 1, "broken": True}] * 2
    return delay


@pytest.mark.parametrize("rounds", FEW_AND_MANY)
def test_kill_9_of_a_reader(tmp_path: Path, rounds: int) -> None:
    rng = random.Random(rounds)
    delays = [until_the_writer_goes_on(rng, tmp_path / str(number)) for number in range(rounds)]
    assert median(delays) < 1


@pytest.mark.parametrize("rounds", FEW_AND_MANY)
def test_kill_9_of_the_writer(tmp_path: Path, rounds: int) -> None:
    rng = random.Random(rounds)
    delays = [until_readers_see_the_end(rng, tmp_path / str(number)) for number in range(rounds)]
    assert median(delays) < 1


@pytest.mark.parametrize("kills", FEW_AND_MANY)
def test_kill_9_of_tasks_that_are_started_again(tmp_path: Path, kills: int) -> None:
    rng = random.Random(kills)
    readers = ["a", "b"]
    pipe = pipeline().add_stream("raw", shape=(40, 30), dtype="u1", frames=3).add_event("enough")
    pipe.add_task("source", fn=numbers_until, writes={"out": "raw"}, events={"enough": "enough"}, restarts=kills)
    for reader in readers:
        pipe.add_task(reader, fn=to(tmp_path / reader, check_each), reads={"inp": "raw"}, restarts=kills)
    died = dict.fromkeys(["source", *readers], 0)

    def are_back() -> bool:
        samples = pipe.metrics()
        return all(s is not None and (s.restarts, s.state) == (died[n], "RUNNING") for n, s in samples.items())

    with pipe:
        pipe.start()
        for _ in range(kills):
            until(are_back)
            time.sleep(rng.uniform(0, 0.02))
            victim = rng.choice(list(died))
            kill(pipe, victim)
            died[victim] += 1
        until(are_back)
        pipe.event("enough").signal()
        pipe.join()
        for reader in readers:
            seen = notes(tmp_path / reader)
            numbers_seen = [note["number"] for note in seen]
            assert all(note["whole"] for note in seen)
            assert (numbers_seen[0], numbers_seen[-1]) == (0, written(pipe) - 1)
            steps = [after - before for before, after in pairwise(numbers_seen)]
            assert set(steps) <= {0, 1}
            assert steps.count(0) <= died[reader], "at most the frame that it was looking at comes twice"


def parent(folder: Path, number: int, frames: int = EVER) -> Running:
    """A program that has started a pipeline."""
    method, noted = ("spawn", "forkserver")[number % 2], folder / f"noted-{number}"
    running = Running((sys.executable,), PARENT, method, noted, frames, env={}, folder=folder)
    until(lambda: notes(noted))
    return running


def until_all_are_gone(rng: random.Random, folder: Path, number: int, *, group: bool) -> float:
    """Seconds since the parent was killed, or all of its group."""
    running = parent(folder, number)
    time.sleep(rng.uniform(0, 0.5))
    running.signal(signal.SIGKILL, group=group)
    killed = time.monotonic()
    running.process.wait(WAIT_S)
    until(lambda: not session_of(running.process.pid))
    return time.monotonic() - killed


def nothing_is_left(folder: Path, number: int) -> None:
    """And the next start works."""
    assert not list(Path("/dev/shm").glob("*killed*"))
    (folder / f"noted-{number}.end").touch()
    running = parent(folder, number, frames=50)
    done = running.wait()
    assert (done.code, done.err) == (0, "")
    assert notes(folder / f"noted-{number}")[-1]["last"] == 49
    running.leaves_nobody()


@pytest.mark.parametrize("rounds", FEWER_AND_MANY)
def test_kill_9_of_the_parent(tmp_path: Path, rounds: int) -> None:
    rng = random.Random(rounds)
    delays = [until_all_are_gone(rng, tmp_path, number, group=False) for number in range(rounds)]
    assert median(delays) < 2, "even of those that hear no signal"
    nothing_is_left(tmp_path, rounds)


@pytest.mark.parametrize("rounds", FEWER_AND_MANY)
def test_kill_9_of_all_at_once(tmp_path: Path, rounds: int) -> None:
    rng = random.Random(rounds)
    for number in range(rounds):
        until_all_are_gone(rng, tmp_path, number, group=True)
    nothing_is_left(tmp_path, rounds)
