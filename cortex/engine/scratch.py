"""Files without names in which workers leave what is too large for a message, as their parent sees them.

Each worker has one, opened by the parent: it cannot open any itself. A worker that has written to its file is replaced
after its batch, and the file is gone when nobody needs what lies in it, however all of them end.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from msgspec.structs import replace

from cortex.engine import seccomp
from cortex.engine.records import Spilled, Walked
from loom.parts import Descriptor

_MOST_EXTENTS = 1000


class Scratch(Descriptor):
    """One worker's file."""

    @property
    def size(self) -> int:
        return os.fstat(self.fileno()).st_size


def opened(folder: str | None) -> Scratch | None:
    """A file for one worker in a folder, which is made; None where the kernel does not confine workers, so that they
    could grow any file if they could grow this one, or where none can be made."""
    if folder is None or not seccomp.is_supported():
        return None
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            return Scratch(os.dup(file.fileno()))
    except OSError:
        return None


def with_files(walked: Walked, file: Scratch | None, before: Walked | None) -> Walked:
    """What a worker has said, with the files in which its large derived files lie: its own, and those of workers that
    had it `before`. Raises `ValueError` for what cannot lie there."""
    if not any(made.spilled for made in walked.computed):
        return walked
    known = {} if before is None else {made.step: made.spilled for made in before.computed}
    computed = []
    for made in walked.computed:
        spilled = known.get(made.step)
        if spilled is None:
            spilled = tuple(_checked(one, file) for one in made.spilled)
        computed.append(replace(made, spilled=spilled))
    return walked._replace(computed=tuple(computed))


def _checked(one: Spilled, file: Scratch | None) -> Spilled:
    most = 0 if file is None else file.size
    if len(one.extents) > _MOST_EXTENTS or any(at < 0 or count < 0 or at + count > most for at, count in one.extents):
        raise ValueError(f"the derived file {one.name!r} is not where it is said to be")
    return one._replace(file=file)
