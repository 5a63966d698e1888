from __future__ import annotations

import errno
import os
import pickle
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import until
from ringplayers import Aside, Play, keep_lock, turn_bytes

from cortex.shm import segment as module
from cortex.shm.errors import ShmError
from cortex.shm.segment import Segment, available_memory

SIZE = 8192


@pytest.fixture
def segment() -> Iterator[Segment]:
    made = Segment("samples", SIZE)
    yield made
    made.close()


def descriptors() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


def shown(name: str) -> list[str]:
    """The parts of this process's memory that bear a name."""
    return [line for line in Path("/proc/self/maps").read_text(errors="replace").splitlines() if name in line]


def test_memory_is_zero_and_reserved_as_a_whole(segment: Segment) -> None:
    assert segment.memory[:] == bytes(SIZE)
    assert os.fstat(segment.descriptor).st_size == SIZE
    assert os.fstat(segment.descriptor).st_blocks * 512 >= SIZE


def test_nothing_of_it_is_seen_in_a_folder() -> None:
    before = set(os.listdir("/dev/shm"))
    made = Segment("nowhere", SIZE)
    assert set(os.listdir("/dev/shm")) <= before
    assert len(shown("memfd:nowhere")) == 1
    made.close()
    assert not shown("memfd:nowhere")


def test_nothing_is_left_of_it() -> None:
    before = descriptors()
    Segment("samples", SIZE).close()
    assert descriptors() == before


def test_it_can_be_closed_twice(segment: Segment) -> None:
    before = descriptors()
    segment.close()
    after = descriptors()
    segment.close()
    assert descriptors() == after < before


def test_views_that_are_held_keep_it_and_no_longer() -> None:
    before = descriptors()
    made = Segment("held", SIZE)
    view = memoryview(made.memory)[8:16]
    made.close()
    view[:] = b"still on"
    assert bytes(view) == b"still on"
    del view, made
    assert not shown("memfd:held")
    assert descriptors() == before


def test_two_of_the_same_name_are_two(segment: Segment) -> None:
    other = Segment("samples", SIZE)
    other.memory[:2] = b"hi"
    assert segment.memory[:2] == b"\0\0"
    other.close()


@pytest.mark.parametrize("name", ["", "a b", "a/b/../c", "größe", "x" * 300, "é" * 300, "nul\0nul", "\ud800", "a\nb"])
def test_every_name_will_do(name: str) -> None:
    Segment(name, SIZE).close()


def test_another_process_sees_the_same_bytes(segment: Segment, play: Play) -> None:
    segment.memory[:] = bytes([3]) * SIZE
    player = play(turn_bytes, segment)
    assert player.says() == 3
    player.says()
    assert segment.memory[:] == bytes([252]) * SIZE
    player.ends()


def test_what_was_given_back_cannot_be_handed_on() -> None:
    made = Segment("samples", SIZE)
    made.close()
    with pytest.raises(ShmError, match="'samples' was given back"):
        pickle.dumps(made)


def test_too_much_is_refused_with_a_sentence_and_leaves_nothing_open() -> None:
    before = descriptors()
    with pytest.raises(ShmError, match=r"'samples' needs [\d,]+ MiB of shared memory, and [\d,]+ MiB are available: "):
        Segment("samples", available_memory() * 2)
    assert descriptors() == before


def test_what_the_kernel_refuses_is_refused_with_a_sentence_and_leaves_nothing_open() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = descriptors()
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, hard))
    try:
        with pytest.raises(ShmError, match="'samples' needs 2 MiB of shared memory"):
            Segment("samples", 2 * 2**20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert descriptors() == before


def test_memory_that_is_used_up_is_noticed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not when a frame is written, which would end the process."""
    before = descriptors()
    monkeypatch.setattr(os, "posix_fallocate", lambda *_: os.posix_fadvise(-1, 0, 0, 0))
    with pytest.raises(OSError, match="Bad file descriptor"):
        Segment("samples", SIZE)

    def refuse(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(ShmError, match="'samples' needs"):
        Segment("samples", SIZE)
    assert descriptors() == before


def test_what_cannot_be_mapped_is_refused_with_a_sentence_and_leaves_nothing_open() -> None:
    script = (
        "import os, resource\n"
        "from cortex.shm.errors import ShmError\n"
        "from cortex.shm.segment import Segment\n"
        "before = os.listdir('/proc/self/fd')\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29))\n"
        "try:\n    Segment('samples', 2**29)\n"
        "except ShmError: assert os.listdir('/proc/self/fd') == before\n"
        "else: raise SystemExit('got it')\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_a_container_has_no_more_than_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text("3145728\n")
    (tmp_path / "memory.current").write_text("1048576\n")
    assert available_memory() == 2 * 2**20
    with pytest.raises(ShmError, match="'samples' needs 4 MiB of shared memory, and 2 MiB are available"):
        Segment("samples", 4 * 2**20)
    (tmp_path / "memory.max").write_text("max\n")
    assert available_memory() > 2 * 2**20


def test_a_machine_has_no_more_than_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CGROUP", tmp_path)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 0 < available_memory() <= total


def test_elsewhere_a_sentence_says_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(ShmError, match="need Linux"):
        Segment("samples", SIZE)


def test_one_thread_at_a_time_has_the_lock(segment: Segment, aside: Aside) -> None:
    inside, most = 0, 0

    def enter() -> None:
        nonlocal inside, most
        for _ in range(200):
            with segment.lock():
                inside += 1
                most = max(most, inside)
                os.sched_yield()
                inside -= 1

    for done in [aside(enter) for _ in range(4)]:
        done.result(30)
    assert most == 1


def test_a_process_that_dies_lets_go_of_the_lock(segment: Segment, play: Play, aside: Aside) -> None:
    player = play(keep_lock, segment)
    assert player.says() == "locked"

    def enter() -> str:
        with segment.lock():
            return "entered"

    entered = aside(enter)
    until(lambda: waits_for_lock() or entered.done())
    assert not entered.done()
    player.is_killed()
    assert entered.result(30) == "entered"


def waits_for_lock() -> bool:
    return any(line.split()[1] == "->" for line in Path("/proc/locks").read_text().splitlines())


def test_an_error_lets_go_of_the_lock(segment: Segment, aside: Aside) -> None:
    with pytest.raises(ZeroDivisionError), segment.lock():
        raise ZeroDivisionError
    with segment.lock():
        pass
