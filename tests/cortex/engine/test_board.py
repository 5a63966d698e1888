import math
import os
import resource
import signal
import struct
import time
from collections.abc import Iterator

import pytest
from sandboxes import in_child

from cortex.engine.board import IDLE, NOBODY, READING, WALKING, Board, BoardSlot


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board(3)
    yield board
    board.close()


@pytest.fixture
def slot(board: Board) -> Iterator[BoardSlot]:
    processor_time = resource.getrlimit(resource.RLIMIT_CPU)
    slot = BoardSlot(board.fd, 1, base_s=30.0, cpus=2.0)
    yield slot
    slot.close()
    resource.setrlimit(resource.RLIMIT_CPU, processor_time)


def test_what_the_worker_writes_the_parent_reads(board: Board, slot: BoardSlot) -> None:
    before = time.monotonic()
    slot.take(2**40, WALKING)
    slot.enter(2**40, 3, 7, "image", 20.0)
    slot.progress(0.5)
    page = board.read(1)
    assert page[:3] == (2**40, 3, 7)
    assert (page.stage, page.fraction, page.phase) == (WALKING, 0.5, "image")
    assert before <= page.since <= time.monotonic()
    assert before + 20 <= page.deadline <= time.monotonic() + 20


def test_between_two_steps_the_file_is_still_in_hand(board: Board, slot: BoardSlot) -> None:
    slot.take(5, READING)
    slot.enter(5, 0, 1, "read", 900.0)
    slot.leave()
    page = board.read(1)
    assert (page.token, page.step, page.stage, page.phase) == (5, -1, READING, "")
    assert page.deadline - page.since == pytest.approx(30.0)


def test_at_rest_there_is_nobody_and_no_deadline(board: Board, slot: BoardSlot) -> None:
    slot.take(5, READING)
    slot.rest()
    assert (board.read(1).token, board.read(1).stage, board.read(1).deadline) == (NOBODY, IDLE, 0.0)
    assert slot.token == NOBODY


def test_renewing_moves_the_deadline(board: Board, slot: BoardSlot) -> None:
    slot.enter(5, 0, 1, "", 10.0)
    before = board.read(1)
    time.sleep(0.02)
    slot.renew()
    assert board.read(1).deadline >= before.deadline + 0.02
    assert board.read(1).since == before.since


def test_a_phase_comes_and_goes(board: Board, slot: BoardSlot) -> None:
    slot.enter(5, 0, 1, "", 10.0)
    slot.phase("image" * 20)
    assert board.read(1).phase == ("image" * 20)[:32]
    slot.phase("")
    assert board.read(1).phase == ""


def test_a_new_step_has_no_progress_yet(board: Board, slot: BoardSlot) -> None:
    slot.enter(5, 0, 1, "", 10.0)
    slot.progress(1.0)
    slot.enter(5, 0, 2, "", 10.0)
    assert board.read(1).fraction == 0.0


def test_workers_have_a_page_each(board: Board, slot: BoardSlot) -> None:
    slot.take(5, WALKING)
    board.clear(0)
    board.clear(2)
    assert board.read(1).token == 5
    board.clear(1)
    assert board.read(1).token == NOBODY


def test_a_scribbled_page_can_be_read(board: Board) -> None:
    os.pwrite(board.fd, struct.pack("8d", *[math.nan, math.inf, -math.inf, *[math.nan] * 5]) + b"\xff" * 32, 0)
    page = board.read(0)
    assert (page.token, page.lane, page.step, page.stage, page.waits_for) == (-1, -1, -1, -1, -1)


def test_a_limit_is_seen_by_workers_at_once_and_however_high_it_is(board: Board, slot: BoardSlot) -> None:
    assert not slot.limited
    board.limit([0, 3, 2**31 - 1])
    assert slot.limited
    assert [slot.limit(name) for name in (1, 2, 3)] == [0, 3, 2**16 - 1]
    board.limit([0, 0, 0])
    assert not slot.limited


def test_one_worker_at_a_time_has_the_lock_and_whoever_dies_gives_it_back(board: Board, slot: BoardSlot) -> None:
    def lock() -> bool:
        return BoardSlot(board.fd, 2, base_s=30.0, cpus=2.0).lock()

    assert slot.lock()
    assert in_child(lock) == 1
    slot.unlock()
    assert in_child(lock) == 0
    assert in_child(lock) == 0


def test_the_kernel_ends_a_step_when_nobody_else_does(board: Board) -> None:
    def work() -> None:
        BoardSlot(board.fd, 2, base_s=30.0, cpus=2.0).enter(1, 0, 0, "", -1.9)
        while True:
            pass

    assert in_child(work) == -signal.SIGALRM


def test_the_kernel_ends_a_step_that_uses_too_much_of_the_processor(board: Board) -> None:
    def work() -> None:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        BoardSlot(board.fd, 2, base_s=30.0, cpus=0.01).enter(1, 0, 0, "", 1.0)
        while True:
            pass

    assert in_child(work) == -signal.SIGXCPU


def test_at_rest_the_timer_is_off(slot: BoardSlot) -> None:
    slot.enter(1, 0, 0, "", 10.0)
    assert 10 < signal.getitimer(signal.ITIMER_REAL)[0] <= 12
    slot.rest()
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    slot.enter(1, 0, 0, "", 20.0)
    slot.enter(1, 0, 0, "", 3.0)
    assert signal.getitimer(signal.ITIMER_REAL)[0] <= 5
