from __future__ import annotations

import errno
import os

import av
import pytest

from cortex.media.phases import Phases, as_damage
from loom.errors import LoomError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError("image file is truncated (3 bytes not processed)"), "FILE_TRUNCATED"),
        (EOFError(), "FILE_TRUNCATED"),
        (SyntaxError("broken PNG file"), "FILE_DAMAGED"),
        (IndexError("index out of range"), "FILE_DAMAGED"),
        (NotImplementedError("a rare kind"), "FORMAT_UNSUPPORTED"),
        (SyntaxError("unknown pixel mode"), "FORMAT_UNSUPPORTED"),
        (ValueError("Decompressed data too large for PngImagePlugin.MAX_TEXT_CHUNK"), "FILE_TOO_LARGE"),
        (MemoryError(), "MEMORY_EXCEEDED"),
        (ImportError("No module named 'x'"), "REQUIREMENT_MISSING"),
        (OSError(errno.EIO, os.strerror(errno.EIO)), "READ_FAILED"),
        (av.FFmpegError(errno.EIO, "Input/output error"), "FILE_DAMAGED"),
        (LookupError(), "FILE_DAMAGED"),
    ],
)
def test_exceptions_of_decoders_are_told_apart(error: BaseException, code: str) -> None:
    failure = as_damage(error)
    assert failure.code == code
    assert failure.message


def test_the_end_of_a_phase_is_announced_after_a_failure_too() -> None:
    heard: list[str | None] = []
    phases = Phases({}, heard.append)
    with pytest.raises(LoomError):
        phases.once("image", "key", lambda: {}["missing"])
    assert heard == ["image", None]


def test_none_is_a_value_too() -> None:
    calls: list[int] = []
    phases = Phases({}, None)
    for _ in range(2):
        phases.once("text", "key", lambda: calls.append(1))
    assert calls == [1]
