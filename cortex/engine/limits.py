"""What a worker process may use, and which of these limits this system grants."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import NamedTuple


class Limits(NamedTuple):
    """`memory`: bytes beyond what a worker has when it is ready. A step, or reading a file, may take `base_s` seconds
    and one more for every `bytes_per_s` of the file, of real time; of processor time `cpus` times as much. `start_s`:
    how long a worker may take until it is ready. A worker is replaced after `recycle` assets, or when it holds on to a
    quarter of `memory`. A derived file of more than `in_memory` bytes goes to a file that its parent has opened for it,
    which may have `scratch` bytes."""

    memory: int = 1024 * 1024 * 1024
    base_s: float = 60.0
    bytes_per_s: float = 10e6
    cpus: float = 2.0
    open_files: int = 256
    start_s: float = 120.0
    recycle: int = 10_000
    niceness: int = 1
    in_memory: int = 32 * 1024 * 1024
    scratch: int = 256 * 1024 * 1024 * 1024

    def time_limit(self, size: int) -> float:
        """Seconds that a step may take on a file of `size` bytes, so that a slow disk does not look like a hang."""
        return self.base_s + size / self.bytes_per_s


class Grant(NamedTuple):
    """One limit: whether this system keeps it, and a sentence for a person."""

    name: str
    ok: bool
    sentence: str


_TRIALS = "from cortex.engine.trials import main; main()"
_TRIALS_S = 60


def granted() -> list[Grant]:
    """Tries every limit in throw-away processes; takes about a second."""
    search = f"import sys; sys.path[:] = {sys.path!r}; "
    try:
        done = subprocess.run(
            [sys.executable, "-c", search + _TRIALS],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TRIALS_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return [Grant("workers", False, f"no process could be started to try the limits in: {error}")]
    return [Grant(*row) for row in json.loads(done.stdout)]
