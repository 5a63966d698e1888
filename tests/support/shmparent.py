"""A program with a process pipeline, to be killed: `shmparent.py spawn|forkserver FILE COUNT`. It notes into the file
when it has started; the pipeline ends after so many frames, but not before the file FILE.end is there."""

from __future__ import annotations

import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from shmtasks import check, note, numbers

from cortex import shm


def deaf(path: str) -> None:
    """Hears no signal."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while not Path(path).exists():
        time.sleep(0.01)


def main(method: Any, path: str, count: str) -> None:
    with shm.Pipeline("killed", start_method=method) as pipe:
        pipe.add_stream("frames of the killed", shape=(481, 641, 3), dtype="u1", frames=2)
        pipe.add_task("source", fn=partial(numbers, count=int(count)), writes={"out": "frames of the killed"})
        pipe.add_task("sink", fn=partial(check, path=path), reads={"inp": "frames of the killed"})
        pipe.add_task("deaf", fn=partial(deaf, path=f"{path}.end"))
        pipe.start()
        note(path, started=True)
        pipe.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
