"""Messages that Loom refused for good: kept beside the spool with the reason, so that they hold up nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import msgspec

from loom.errors import LoomError

REFUSED = "refused"
"""The name of the folder, beside those of the spools."""

LIMIT_BYTES = 64 * 1024 * 1024
LIMIT_FILES = 1000
"""More is not kept; the oldest go first."""

_FOR_GOOD = frozenset(
    {
        "BODY_TOO_LARGE",
        "DEFINITION_INVALID",
        "DIGEST_MISMATCH",
        "INTERNAL",
        "NAME_RESERVED",
        "NOT_FOUND",
        "PIPELINE_DISABLED",
        "REQUEST_INVALID",
        "RUN_ENDED",
        "RUN_LOST",
    }
)


class Reason(msgspec.Struct, frozen=True):
    """The first line of a file, as JSON; the message follows it. `time` is in seconds since 1970."""

    code: str
    message: str
    time: float


def is_refusal(error: LoomError) -> bool:
    """Whether saying the same message again will be answered alike: it is about the message, not about who says it, nor
    about the state in which Loom is at the moment."""
    return error.code in _FOR_GOOD


def set_aside(folder: Path, message: bytes, error: LoomError) -> None:
    """Keeps a message that was refused; of one that is larger than all that may be kept, only the reason."""
    folder.mkdir(parents=True, exist_ok=True)
    reason = msgspec.json.encode(Reason(error.code, error.message, time.time()))
    kept = message if len(message) <= LIMIT_BYTES else b""
    name = f"{time.time_ns():020d}-{uuid4().hex[:8]}.refused"
    (folder / name).write_bytes(b"\n".join((reason, kept)))
    _keep_bounded(folder)


def reasons(folder: Path) -> Iterator[Reason]:
    """Why the messages in a folder were refused, the oldest first."""
    for path in sorted(folder.glob("*.refused")):
        try:
            with path.open("rb") as file:
                yield msgspec.json.decode(file.readline(), type=Reason)
        except (OSError, msgspec.DecodeError):
            continue


def _keep_bounded(folder: Path) -> None:
    paths = sorted(folder.glob("*.refused"))
    total = sum(path.stat().st_size for path in paths)
    for number, path in enumerate(paths[:-1]):
        if total <= LIMIT_BYTES and len(paths) - number <= LIMIT_FILES:
            return
        total -= path.stat().st_size
        path.unlink(missing_ok=True)
