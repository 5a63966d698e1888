"""The tasks of PYTHUSA, in its own environment, through its public interface; waits spin, which is the quickest there.

    python benchmarks/shmpythusa.py SETTINGS CASE SYSTEM ADDRESS

SETTINGS: tuned or defaults.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from typing import Any

import numpy as np
import pythusa
from shmframes import Frame, Frames, Put, words
from shmplayers import Part, build, perform

SETTINGS: dict[str, dict[str, float]] = {
    "tuned": {"min_reader_pos_refresh_interval": 1, "min_reader_pos_refresh_s": 0.0},
    "defaults": {},
}


class Spinning:
    """Gives the core away between two looks. A player that waits in vain is ended from outside."""

    def writing(self, end: Any) -> Put:
        write = end.write

        def put(frame: Frame) -> None:
            while not write(frame):
                os.sched_yield()

        return put

    def writing_views(self, end: Any) -> Put:
        def put(frame: Frame) -> None:
            while (view := end.look()) is None:
                os.sched_yield()
            np.copyto(np.frombuffer(view, np.uint8), frame.reshape(-1))
            end.increment()

        return put

    def reading(self, end: Any, out: Frame) -> Frames:
        read_into, numbers = end.read_into, words(out)
        while True:
            while not read_into(out):
                os.sched_yield()
            yield numbers

    def reading_views(self, end: Any) -> Frames:
        while True:
            while (view := end.look()) is None:
                os.sched_yield()
            try:
                yield view.cast("B").cast("Q")
            finally:
                end.increment()

    def reads_nothing(self, end: Any, out: Frame, seconds: float) -> bool:
        """As the manual does it: a look every millisecond."""
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            if end.read_into(out):
                return False
            time.sleep(0.001)
        return True


def task(part: Part, case: str, **streams: Any) -> None:
    perform(Spinning(), part, case, streams)


def main(settings: str, case: str, system: str, address: str) -> None:
    with pythusa.Pipeline("benchmark") as pipe:
        build(pipe, case, system, address, partial(task, case=case), **SETTINGS[settings])
        pipe.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
