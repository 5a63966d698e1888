"""One command at a time moves files back and forth."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loom.errors import LoomError


@contextmanager
def acting_alone(folder: Path) -> Iterator[None]:
    """Holds a lock in the folder, which is made; it goes with the process. Raises `TRY_AGAIN`, and `CONFIG_INVALID` for
    a folder that cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "actions.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LoomError("CONFIG_INVALID", f"{folder} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise LoomError("TRY_AGAIN", "another command moves or brings back files at the moment") from None
    finally:
        os.close(descriptor)
