from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from ringplayers import (
    MakeRing,
    Play,
    Told,
    ask_to_write,
    numbered,
    put_next,
    read_to_end,
    unread,
    write_and_stay,
    write_numbered,
)

from cortex.shm.errors import ShmError
from cortex.shm.layout import GOES_ON
from cortex.shm.ring import Ring


def test_it_says_what_it_is_for(make_ring: MakeRing) -> None:
    ring = make_ring("größe", shape=(2, 3), dtype=">f4", frames=5, readers=7)
    assert repr(ring) == "<Ring 'größe': 5 × (2, 3) >f4, 7 readers>"
    assert ring.name == "größe"
    assert ring.state == GOES_ON


def test_a_new_ring_is_empty(make_ring: MakeRing) -> None:
    assert make_ring(readers=2).stats() == (0, 0, 0.0, 0, False, False, (None, None))


def test_stats_say_how_full_it_is_and_who_reads(make_ring: MakeRing) -> None:
    ring = make_ring(readers=3)
    writer, near, far = ring.writer(), ring.reader(), ring.reader(2)
    put_next(ring, writer, 3)
    near.read()
    near.read()
    stats = ring.stats()
    assert (stats.written, stats.bytes_written, stats.pressure) == (3, 96, 75.0)
    assert stats.readers == (
        (os.getpid(), True, 1, 0, 0, 0),
        None,
        (os.getpid(), True, 3, 0, 0, 0),
    )
    far.set_blocking(False)
    assert ring.stats().pressure == 25.0
    put_next(ring, writer, 3)
    stats = ring.stats()
    assert (stats.pressure, stats.full_waits) == (100.0, 0)
    assert stats.readers[2] is not None
    assert stats.readers[2][1:3] == (False, 6)
    assert not writer.write(numbered(ring, 0))
    assert ring.stats().full_waits == 1


def test_stats_count_waits_of_readers(make_ring: MakeRing) -> None:
    ring = make_ring()
    reader = ring.reader()
    assert reader.read(0.01) is None
    assert reader.read() is None
    (told,) = ring.stats().readers
    assert told is not None
    assert told.empty_waits == 1


def test_one_process_alone_may_write(make_ring: MakeRing, play: Play) -> None:
    ring = make_ring()
    writer = ring.writer()
    put_next(ring, writer, 1)
    assert play(ask_to_write, ring).says() == f"The stream 'samples' has a writer already, process {os.getpid()}."
    writer.end()
    assert play(ask_to_write, ring).says() == 1


def test_another_may_write_when_the_writer_has_died(make_ring: MakeRing, play: Play) -> None:
    ring = make_ring()
    reader = ring.reader()
    player = play(write_and_stay, ring, 3)
    assert player.says() == 3
    with pytest.raises(ShmError, match=f"has a writer already, process {player.pid}"):
        ring.writer()
    player.is_killed()
    writer = ring.writer()
    assert (ring.state, writer.sequence) == (GOES_ON, 3)
    put_next(ring, writer, 1)
    assert unread(reader) == [0, 1, 2, 3]


def test_it_is_handed_to_processes(make_ring: MakeRing, play: Play) -> None:
    ring = make_ring(frames=2, readers=2)
    readers = [play(read_to_end, ring) for _ in range(2)]
    for reader in readers:
        assert reader.says() == "ready"
    writer = play(write_numbered, ring, 500)
    assert writer.says() == 0
    assert [reader.says() for reader in readers] == [Told(0, 500, True, False, False)] * 2
    writer.ends()
    assert ring.stats().written == 500


def test_nothing_is_left_of_it_even_when_frames_are_held() -> None:
    before = set(os.listdir("/proc/self/fd"))
    ring = Ring("samples", shape=(4,), dtype=np.int64)
    writer, reader = ring.writer(), ring.reader()
    put_next(ring, writer, 2)
    view = reader.look()
    copy = reader.read()
    ring.close()
    ring.close()
    assert view is not None
    assert copy is not None
    assert list(copy) == [0] * 4
    del ring, writer, reader, view
    assert set(os.listdir("/proc/self/fd")) == before


def test_checks_are_made_without_assertions_too() -> None:
    script = """
import numpy as np
from cortex.shm.errors import EndOfStream, NothingPendingError, ShmError
from cortex.shm.ring import Ring
assert False
ring = Ring("samples", shape=(4,), dtype="i8", frames=2)
writer, reader = ring.writer(), ring.reader()
frame = np.ones(4, "i8")
refused = 0
def refuse(error, call, *arguments, **more):
    global refused
    try:
        call(*arguments, **more)
    except error:
        refused += 1
refuse(ValueError, Ring, "samples", shape=(4,), dtype=object)
refuse(NothingPendingError, reader.increment)
refuse(NothingPendingError, writer.increment)
refuse(ValueError, writer.write, frame[:3])
refuse(ValueError, writer.write, frame.astype("f4"))
refuse(ValueError, writer.write, frame, meta={"text": "x" * 300})
refuse(ShmError, ring.reader)
writer.write(frame)
refuse(ValueError, reader.read_into, np.ones(3, "i8"))
refuse(TypeError, reader.read_into, None)
held = reader.hold()
del held
writer.end()
refuse(EndOfStream, reader.read)
print(refused)
"""
    ended = subprocess.run([sys.executable, "-O", "-c", script], capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("10\n", "")
