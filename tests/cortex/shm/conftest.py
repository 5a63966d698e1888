"""Rings, those who write and read them, and a look into their sleep; pipelines that start in no time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from ringplayers import Aside, Ask, MakeRing, Play, Player
from shmtasks import no_main

from cortex.shm import supervisor, waking
from cortex.shm.reader import Reader
from cortex.shm.ring import Ring


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the processes of pipelines start without the program that runs the tests, and gives them time to end."""
    no_main(monkeypatch)
    monkeypatch.setattr(supervisor, "GRACE_S", 60.0)


@pytest.fixture
def make_ring() -> Iterator[MakeRing]:
    """Makes rings of four frames of four numbers unless told otherwise, and gives their memory back."""
    made = []

    def make(name: str = "samples", **more: Any) -> Ring:
        ring = Ring(name, **{"shape": (4,), "dtype": np.int64, "frames": 4, **more})
        made.append(ring)
        return ring

    yield make
    for ring in made:
        ring.close()


@pytest.fixture
def play() -> Iterator[Play]:
    """Starts a player, which is ended with the test."""
    players = []

    def start(function: Callable[..., None], *arguments: Any) -> Player:
        players.append(Player(function, *arguments))
        return players[-1]

    yield start
    for player in players:
        player.close()


@pytest.fixture(params=["read", "read_into", "look", "hold"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Asks a reader for a frame, in each way there is; false or None when there is none."""

    def read_into(reader: Reader, timeout: float | None) -> bool:
        return reader.read_into(np.zeros(reader.shape, reader.dtype), timeout)

    def look(reader: Reader, timeout: float | None) -> bool:
        return reader.look(timeout) is not None and reader.increment()

    ways = {"read": Reader.read, "read_into": read_into, "look": look, "hold": Reader.hold}
    return ways[request.param]


@pytest.fixture
def aside() -> Iterator[Aside]:
    """Calls a function in a thread."""
    with ThreadPoolExecutor(8) as threads:
        yield threads.submit


class Sleeps:
    """The sleep of this process. `begun`: how often one fell asleep; `before`: what happens once right before."""

    def __init__(self) -> None:
        self.begun = 0
        self.before: Callable[[], object] | None = None
        self._sleep = waking.sleep_while

    def __call__(self, address: int, value: int, seconds: float) -> None:
        self.begun += 1
        before, self.before = self.before, None
        if before is not None:
            before()
        self._sleep(address, value, seconds)


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> Sleeps:
    """Sleep that only being woken ends, for longer than any of these tests waits."""
    sleeps = Sleeps()
    monkeypatch.setattr(waking, "sleep_while", sleeps)
    monkeypatch.setattr(waking, "longest_sleep", lambda: 20.0)
    return sleeps
