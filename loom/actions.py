"""What was done to files, as it looks from outside."""

from __future__ import annotations

import base64
from typing import Literal
from uuid import UUID

import msgspec

from loom.model import ActionKind, FoundAt

ActionState = Literal["BEGUN", "DONE", "UNDONE", "FAILED"]


class ActionShape(msgspec.Struct, frozen=True, kw_only=True):
    """`origin` and `target` are paths on `host`: a file was `moved` or `copied` from one to the other, the target was
    written (`wrote`) for the sake of the file at the origin, or that file was `removed`, for its content lay at the
    target, too. `digest` (BLAKE3) and `size` are of the bytes at the target. `BEGUN`: nobody has told the end. `why`
    says what kept it from being done or undone. The `_b64` twins are there when bytes of a path had to be replaced."""

    uuid: UUID
    run: UUID | None
    duplicate: UUID | None
    host: str
    kind: ActionKind
    asset: UUID
    blake3: str
    origin: str
    target: str
    digest: str
    size: int
    began: str
    ended: str | None
    state: ActionState
    why: str | None = None
    origin_b64: str | None = None
    target_b64: str | None = None

    @property
    def origin_path(self) -> bytes:
        return _exactly(self.origin, self.origin_b64)

    @property
    def target_path(self) -> bytes:
        return _exactly(self.target, self.target_b64)


class ActionEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How an action ended: it was done, or undone (`found`: where the file that it moved lies now); or it failed, and
    nothing has changed. `why` says what kept it from it."""

    state: Literal["DONE", "UNDONE", "FAILED"]
    why: str | None = None
    found: FoundAt | None = None


def _exactly(shown: str, encoded: str | None) -> bytes:
    return shown.encode("utf-8") if encoded is None else base64.b64decode(encoded)
