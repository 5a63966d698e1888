"""What a user would pick without any package: pipes and queues of `multiprocessing`; and copying in one process.

    python benchmarks/shmpeers.py KIND CASE SYSTEM ADDRESS

KIND: bytes, array, queue, copy or copies.
"""

from __future__ import annotations

import itertools
import multiprocessing
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from shmframes import SIZES, Found, Frame, Frames, Put, picture, send, words
from shmplayers import CASES, Order, Part, act, play

CONTEXT = multiprocessing.get_context("spawn")


class Bytes:
    """`Pipe`: `send_bytes` and `recv_bytes_into`."""

    def writing(self, end: Any) -> Put:
        return lambda frame: end.send_bytes(frame.reshape(-1))

    def reading(self, end: Any, out: Frame) -> Frames:
        numbers = words(out)
        while True:
            end.recv_bytes_into(numbers)
            yield numbers


class Arrays:
    """`Pipe`: `send` and `recv`, which pickle."""

    def writing(self, end: Any) -> Put:
        put: Put = end.send
        return put

    def reading(self, end: Any, out: Frame) -> Frames:
        while True:
            yield words(end.recv())


class Queued:
    """A queue pickles later, in a thread of its own: each frame has to be a copy."""

    def writing(self, end: Any) -> Put:
        return lambda frame: end.put(frame.copy())

    def reading(self, end: Any, out: Frame) -> Frames:
        while True:
            yield words(end.get())


KINDS: dict[str, Callable[[], Any]] = {"bytes": Bytes, "array": Arrays, "queue": Queued}


def _player(kind: str, part: Part, read: Any, write: Any) -> None:
    hands = KINDS[kind]()
    play(part, lambda order: act(hands, part.role, read, write, order))


def _processes(kind: str, case: str, system: str, address: str) -> None:
    """A player for each task; one line between them serves frames of all sizes."""
    tasks, _, frames = CASES[case]
    ends: dict[str, Any] = {"": None}
    for stream in {written for *_, written in tasks if written}:
        ends[stream] = (CONTEXT.Queue(frames),) * 2 if kind == "queue" else CONTEXT.Pipe(duplex=False)
    processes = []
    for role, reads, writes in tasks:
        part = Part(address, system, len(tasks), role)
        read, write = reads and ends[reads][0], writes and ends[writes][1]
        processes.append(CONTEXT.Process(target=_player, args=(kind, part, read, write)))
    for process in processes:
        process.start()
    for process in processes:
        process.join()


def _copy(slots: list[Frame], out: Frame | None, order: Order) -> Found:
    """In one process into one slot after the other, and on into `out` if there is one."""
    turns = itertools.cycle([(slot, words(slot if out is None else out)) for slot in slots])
    count = torn = 0

    def put(frame: Frame) -> None:
        nonlocal count, torn
        slot, numbers = next(turns)
        np.copyto(slot, frame)
        if out is not None:
            np.copyto(out, slot)
        torn += not numbers[0] == count == numbers[-1]
        count += 1

    found = send(put, picture(order.size), order.seconds, order.mark)
    return {**found, "end": time.perf_counter(), "frames": count, "gaps": 0, "torn": torn}


def _copying(kind: str, case: str, system: str, address: str) -> None:
    slots = {size: [np.ones(SIZES[size], np.uint8) for _ in range(CASES[case].frames)] for size in CASES[case].sizes}
    outs = {size: np.ones(SIZES[size], np.uint8) if kind == "copies" else None for size in slots}
    part = Part(address, system, 1, "copier")
    play(part, lambda order: _copy(slots[order.size], outs[order.size], order))


def main(kind: str, case: str, system: str, address: str) -> None:
    start = _copying if kind in ("copy", "copies") else _processes
    start(kind, case, system, address)


if __name__ == "__main__":
    main(*sys.argv[1:])
