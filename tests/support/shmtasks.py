"""Functions that tests run as tasks of process pipelines, and what the tests need to hear of them.

Tasks note what they find in files, a JSON line each. A frame bears its number in all of its values.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from cortex import shm
from cortex.shm import Event, Reader, Writer

if TYPE_CHECKING:
    import pytest

EVER = sys.maxsize


def note(path: str | Path, **said: Any) -> None:
    """A line in one write, so that who is killed leaves a whole one or none."""
    line = json.dumps(said) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def notes(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def frame_of(end: Reader | Writer, number: int) -> np.ndarray[Any, Any]:
    return np.full(end.shape, number % 251, dtype=end.dtype)


def numbers(out: Writer, count: int = EVER) -> None:
    """From the frame on at which the last one left off."""
    while out.sequence < count:
        out.write(frame_of(out, out.sequence), timeout=None)


def numbers_until(out: Writer, enough: Event) -> None:
    while not enough.is_open():
        out.write(frame_of(out, out.sequence), timeout=0.05)


def polled_numbers(out: Writer, count: int = EVER) -> None:
    """As the manual of PYTHUSA writes them: nothing waits."""
    while out.sequence < count:
        if not out.write(frame_of(out, out.sequence)):
            time.sleep(0.001)


def note_and_poll_numbers(out: Writer, count: int, path: str) -> None:
    note(path, called_ns=time.monotonic_ns())
    polled_numbers(out, count)


def check(inp: Reader, path: str) -> None:
    """Notes the first and the last number of what was read in one piece, and how it ended."""
    first = last = -1
    try:
        while True:
            frame = inp.read(timeout=None)
            assert frame is not None
            assert inp.last is not None
            number = inp.last.sequence
            assert (frame == frame_of(inp, number)).all(), f"frame {number} is torn"
            assert first < 0 or number == last + 1, f"frame {number} follows {last}"
            first, last = number if first < 0 else first, number
    except shm.EndOfStream as end:
        note(path, stream=inp.name, first=first, last=last, broken=end.is_broken)


def check_each(inp: Reader, path: str) -> None:
    """Notes every number, so that it is known of one that is killed too."""
    while True:
        frame = inp.look(timeout=None)
        assert frame is not None
        assert inp.last is not None
        number = inp.last.sequence
        whole = bytes(frame) == frame_of(inp, number).tobytes()
        del frame
        note(path, number=number, whole=whole)
        inp.increment()


def check_and_die(inp: Reader, path: str, at: tuple[int, ...]) -> None:
    """Notes every number, and dies the first time that it holds one of those."""
    noted = {note["number"] for note in notes(Path(path))}
    while True:
        inp.look(timeout=None)
        assert inp.last is not None
        number = inp.last.sequence
        note(path, number=number)
        if number in at and number not in noted:
            os._exit(1)
        inp.increment()


def poll(inp: Reader) -> None:
    """A loop without an end, as the manual of PYTHUSA writes them."""
    while True:
        if inp.read() is None:
            time.sleep(0.001)


def drain(inp: Reader) -> None:
    while True:
        inp.read(timeout=None)


def drain_later(inp: Reader, go: Event) -> None:
    go.wait()
    drain(inp)


def passed_on(inp: Reader, out: Writer) -> None:
    while True:
        frame = inp.read(timeout=None)
        assert frame is not None
        out.write(frame, timeout=None)


def fail(inp: Reader, after: int = 0) -> None:
    for _ in range(after):
        inp.read(timeout=None)
    raise RuntimeError("no more of this")


def fail_while_looking(inp: Reader) -> None:
    view = inp.look(timeout=None)
    assert view is not None
    array = np.frombuffer(view, np.uint8)
    raise ValueError(f"the first is {array[0]}")


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("cannot be said")


def fail_unspeakably(inp: Reader) -> None:
    raise Unspeakable


def fail_writing(out: Writer, after: int) -> None:
    numbers(out, after)
    raise RuntimeError("nothing left")


def fail_in_the_middle(out: Writer, every: int, count: int) -> None:
    """Of a frame, after every so many whole ones."""
    numbers(out, min(out.sequence + every, count))
    if out.sequence < count:
        view = out.look(timeout=None)
        assert view is not None
        view[:1] = b"?"
        raise RuntimeError(f"in the middle of frame {out.sequence}")


def leave(inp: Reader, code: Any) -> None:
    sys.exit(code)


def die(inp: Reader, code: int) -> None:
    os._exit(code)


def kill_itself(inp: Reader, number: int) -> None:
    os.kill(os.getpid(), number)
    signal.pause()


def ignore_all(out: Writer, path: str) -> None:
    """Wants to go on in spite of everything."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(path, pid=os.getpid())
    while True:
        out.write(frame_of(out, 0), timeout=1)


def swallow_all(out: Writer, path: str) -> None:
    note(path, pid=os.getpid())
    while True:
        try:
            out.write(frame_of(out, 0), timeout=1)
        except BaseException:
            continue


def fail_when_stopped(out: Writer, path: str) -> None:
    note(path, pid=os.getpid())
    try:
        numbers(out)
    finally:
        raise RuntimeError("not like this")


def rest(path: str) -> None:
    note(path, pid=os.getpid())
    signal.pause()


def spin(go_on: Event) -> None:
    while go_on.is_open():
        pass


def signal_once(done: Event) -> None:
    done.signal()


def answer(asked: Event, answered: Event) -> None:
    asked.wait()
    asked.reset()
    answered.signal()


def called(path: str) -> None:
    note(path, pid=os.getpid())


def called_once(path: str, go: Event) -> None:
    """Closes what activates it."""
    note(path, pid=os.getpid())
    go.reset()


def write_one(out: Writer) -> None:
    out.write(frame_of(out, out.sequence), timeout=None)


def read_one(inp: Reader, path: str) -> None:
    inp.read(timeout=None)
    assert inp.last is not None
    note(path, number=inp.last.sequence)


def compare(path: str, wanted: dict[str, Any], **streams: Reader) -> None:
    """Notes which streams bring as their first frame what is wanted."""
    for name, stream in streams.items():
        frame = stream.read(timeout=None)
        assert frame is not None
        note(path, stream=name, is_right=bool(np.allclose(frame, wanted[name])))


def turn(back: Reader, out: Writer, rounds: int) -> None:
    """Writes a number, and each time the one that comes back plus one."""
    number = 0
    for _ in range(rounds):
        out.write(np.asarray(number), timeout=None)
        frame = back.read(timeout=None)
        assert frame is not None
        number = int(frame) + 1
    assert number == 2 * rounds, number


def add_one(inp: Reader, out: Writer) -> None:
    while True:
        frame = inp.read(timeout=None)
        assert frame is not None
        out.write(frame + 1, timeout=None)


def pipeline(name: str = "test") -> shm.Pipeline:
    """One whose processes are made in no time, as they are forked from one that has imported all that tasks need."""
    multiprocessing.set_forkserver_preload(["cortex.shm.task", "cortex.shm.reader", "cortex.shm.writer", __name__])
    return shm.Pipeline(name, start_method="forkserver")


def no_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes import the main program first; the program that runs the tests is none of theirs."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))


def to(path: Path, function: Any, **more: Any) -> Any:
    """The function, noting into the file."""
    return partial(function, path=str(path), **more)


def line(source: Any, *readers: Any, frames: int = 8, restarts: int = 0) -> shm.Pipeline:
    """The stream `raw` from the task `source` to the tasks `reader 0`, `reader 1`, ..."""
    pipe = pipeline().add_stream("raw", shape=(3,), dtype="u1", frames=frames)
    pipe.add_task("source", fn=source, writes={"out": "raw"}, restarts=restarts)
    for number, reader in enumerate(readers):
        pipe.add_task(f"reader {number}", fn=reader, reads={"inp": "raw"}, restarts=restarts)
    return pipe
