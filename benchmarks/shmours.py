"""The tasks of `cortex.shm`; waits block: python benchmarks/shmours.py CASE SYSTEM ADDRESS"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import numpy as np
from shmframes import Frame, Frames, Put, words
from shmplayers import Part, build, perform

from cortex import shm

LONG_S = 20.0


class Blocking:
    def writing(self, end: Any) -> Put:
        write = end.write

        def put(frame: Frame) -> None:
            if not write(frame, timeout=LONG_S):
                raise TimeoutError("no room")

        return put

    def writing_views(self, end: Any) -> Put:
        def put(frame: Frame) -> None:
            if (view := end.look(timeout=LONG_S)) is None:
                raise TimeoutError("no room")
            np.copyto(np.frombuffer(view, np.uint8), frame.reshape(-1))
            end.increment()

        return put

    def reading(self, end: Any, out: Frame) -> Frames:
        read_into, numbers = end.read_into, words(out)
        while read_into(out, timeout=LONG_S):
            yield numbers
        raise TimeoutError("no frame")

    def reading_views(self, end: Any) -> Frames:
        while (view := end.look(timeout=LONG_S)) is not None:
            try:
                yield view.cast("B").cast("Q")
            finally:
                end.increment()
        raise TimeoutError("no frame")

    def reads_nothing(self, end: Any, out: Frame, seconds: float) -> bool:
        return not end.read_into(out, timeout=seconds)


def task(part: Part, case: str, **streams: Any) -> None:
    perform(Blocking(), part, case, streams)


def main(case: str, system: str, address: str) -> None:
    with shm.Pipeline("benchmark") as pipe:
        build(pipe, case, system, address, partial(task, case=case))
        pipe.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
