from pathlib import Path
from uuid import UUID, uuid4

import pytest

from cortex.engine.reserve import LOOK_S, Reserve
from loom.errors import LoomError
from loom.model import Pause
from loom.steering import DISK


class Steering:
    """Remembers pauses as Loom does; a run in `ended` cannot be paused."""

    def __init__(self) -> None:
        self.pauses: dict[UUID, Pause] = {}
        self.ended: set[UUID] = set()

    def pause_run(self, run: UUID, pause: Pause) -> None:
        if run in self.ended:
            raise LoomError("RUN_ENDED")
        self.pauses[run] = pause

    def resume_run(self, run: UUID, owner: str) -> None:
        if self.pauses.pop(run).owner != owner or run in self.ended:
            raise LoomError("RUN_ENDED")


class Disk:
    def __init__(self) -> None:
        self.free = 10 << 30
        self.now = 0.0
        self.asked = 0

    def __call__(self, folder: Path) -> int:
        self.asked += 1
        if self.free < 0:
            raise OSError("it is away")
        return self.free

    def tick(self) -> float:
        return self.now


@pytest.fixture
def steering() -> Steering:
    return Steering()


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def reserve(steering: Steering, disk: Disk, tmp_path: Path) -> Reserve:
    return Reserve(steering, tmp_path, 1 << 30, disk, disk.tick)  # type: ignore[arg-type]


def test_a_run_stands_still_while_there_is_less_than_the_reserve(
    reserve: Reserve, steering: Steering, disk: Disk
) -> None:
    run, later = uuid4(), uuid4()
    reserve.look([run])
    assert steering.pauses == {}
    disk.free, disk.now = 900 << 20, LOOK_S
    reserve.look([run])
    assert steering.pauses[run].owner == DISK
    assert "900 MB" in steering.pauses[run].reason
    disk.now += LOOK_S
    reserve.look([run, later])
    assert set(steering.pauses) == {run, later}
    disk.free, disk.now = 1050 << 20, disk.now + LOOK_S
    reserve.look([run, later])
    assert set(steering.pauses) == {run, later}, "a little more is not enough"
    disk.free, disk.now = 2 << 30, disk.now + LOOK_S
    reserve.look([run, later])
    assert steering.pauses == {}


def test_the_disk_is_looked_at_now_and_then(reserve: Reserve, disk: Disk) -> None:
    for _ in range(10):
        reserve.look([uuid4()])
        disk.now += LOOK_S / 5
    assert disk.asked == 2


def test_a_run_that_has_ended_and_a_disk_that_is_away_do_no_harm(
    reserve: Reserve, steering: Steering, disk: Disk
) -> None:
    run = uuid4()
    steering.ended.add(run)
    disk.free = 0
    reserve.look([run])
    disk.free, disk.now = -1, LOOK_S
    reserve.look([run])
    assert steering.pauses == {}


def test_without_a_reserve_nobody_looks(steering: Steering, disk: Disk, tmp_path: Path) -> None:
    Reserve(steering, tmp_path, 0, disk, disk.tick).look([uuid4()])  # type: ignore[arg-type]
    assert disk.asked == 0
