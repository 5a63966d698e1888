"""What kept a run from a file, a folder or a source, or from going on at all: no node has failed there."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

MOST_PROBLEMS = 1000
"""So many are kept of a run; all are counted."""


class Problem(NamedTuple):
    """`path` is empty when it is about the run itself. `code` is one of `loom.errors`, `message` a sentence."""

    path: bytes
    code: str
    message: str


class ProblemShape(msgspec.Struct, frozen=True, kw_only=True):
    """`path` is for people (undecodable bytes replaced), null when it is about the run itself; `path_b64` is there when
    bytes had to be replaced."""

    path: str | None
    path_b64: str | None = None
    code: str
    message: str
    retryable: bool = False
