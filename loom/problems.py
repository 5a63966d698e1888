"""What went wrong: at a node, or before any (a run was kept from a file, a folder, a source, or from going on)."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

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


class NewestShape(msgspec.Struct, frozen=True, kw_only=True):
    asset: UUID
    path: str | None
    run: UUID | None
    time: str


class FailureShape(msgspec.Struct, frozen=True, kw_only=True):
    """Failed results of one node with the same code and a like message, for which `cause` stands; `aside` of them are
    set aside, `handled` of them handled by an `ERROR` edge of their pipeline."""

    code: str
    node: str
    operator: str
    count: int
    message: str
    newest: NewestShape
    retryable: bool = False
    aside: int = 0
    handled: int = 0
    cause: str = ""
