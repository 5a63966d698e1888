"""Frames that tell whether they are whole, and what is done with them: sent, received, sent to and fro.

Needs NumPy alone: this also runs in the Python of a peer's own environment.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZES: dict[str, tuple[int, ...]] = {
    "1 KiB": (1024,),
    "64 KiB": (64 * 1024,),
    "640x480x3": (480, 640, 3),
    "1920x1080x3": (1080, 1920, 3),
}
"""Shapes of uint8."""

Frame = NDArray[np.uint8]
Words = memoryview
"""A frame as 64-bit numbers: the first and the last are its number, the one in the middle is a value derived of it."""

Frames = Generator[Words, None, None]
"""What was read; a frame is given back when the next one is asked for, or the generator is closed."""

Put = Callable[[Frame], object]
Found = dict[str, Any]

_ALL_BITS = 2**64 - 1


def picture(size: str) -> Frame:
    return np.random.default_rng(1).integers(0, 256, SIZES[size], dtype=np.uint8)


def words(frame: Frame) -> Words:
    """The same memory, not a copy: `frame` lies in one piece."""
    return memoryview(frame.reshape(-1).data).cast("Q")


def send(put: Put, frame: Frame, seconds: float, mark: int) -> Found:
    """Frames one after the other for that long, at least one, then one whose value says that it is the last.

    `mark` (at most 64 bits; few are quicker) is another one in each run, so that a frame of an earlier run is not taken
    for one of this.
    """
    numbers = words(frame)
    middle, batch = len(numbers) // 2, max(1, 2**16 // frame.nbytes)
    number, start = 0, time.perf_counter()
    while number == 0 or time.perf_counter() < start + seconds:
        for number in range(number, number + batch):  # noqa: B020
            numbers[0] = numbers[-1] = number
            numbers[middle] = number ^ mark
            put(frame)
        number += 1
    numbers[0] = numbers[-1] = number
    numbers[middle] = number ^ mark ^ _ALL_BITS
    put(frame)
    return {"start": start}


def receive(frames: Frames, mark: int) -> Found:
    """Reads up to the last frame. `gaps`: how often a whole frame was not the one expected; `torn`: frames that are
    no whole frame of this run."""
    expected = gaps = torn = middle = 0
    with closing(frames):
        for numbers in frames:
            middle = middle or len(numbers) // 2
            if numbers[0] == expected == numbers[-1] and numbers[middle] == expected ^ mark:
                expected += 1
                continue
            number = numbers[0]
            last = is_last(numbers, mark)
            if number != numbers[-1] or not (last or numbers[middle] == number ^ mark):
                torn += 1
                number = expected
            elif number != expected:
                gaps += 1
            expected = number + 1
            if last:
                break
    return {"end": time.perf_counter(), "frames": expected, "gaps": gaps, "torn": torn}


def is_last(numbers: Words, mark: int) -> bool:
    return numbers[len(numbers) // 2] == numbers[0] ^ mark ^ _ALL_BITS


def hand_on(frames: Frames, put: Put, shape: tuple[int, ...], mark: int) -> Found:
    """What comes in goes out, up to the last frame."""
    with closing(frames):
        for numbers in frames:
            put(np.frombuffer(numbers, np.uint8).reshape(shape))
            if is_last(numbers, mark):
                break
    return {}


def ping(put: Put, back: Frames, frame: Frame, seconds: float, mark: int) -> Found:
    """Microseconds until a frame is back, but for the first tenth of them: half and 99 % are as quick."""
    numbers = words(frame)
    middle, number, wrong = len(numbers) // 2, 0, 0
    took: list[float] = []
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        numbers[0] = numbers[-1] = number
        numbers[middle] = number ^ mark
        put(frame)
        came = next(back)
        took.append(time.perf_counter() - start)
        wrong += not (came[0] == number == came[-1] and came[middle] == number ^ mark)
        number += 1
    numbers[0] = numbers[-1] = number
    numbers[middle] = number ^ mark ^ _ALL_BITS
    put(frame)
    wrong += not is_last(next(back), mark)
    back.close()
    steady = sorted(took[len(took) // 10 :])
    p50, p99 = statistics.median(steady), steady[int(len(steady) * 0.99)]
    return {"p50": p50 * 1e6, "p99": p99 * 1e6, "frames": number + 1, "gaps": 0, "torn": wrong}
