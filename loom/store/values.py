"""How values are written in the database and read for people: codes, times, names, JSON, cursors."""

from __future__ import annotations

import base64
import binascii
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from blake3 import blake3

from loom.actions import ActionState
from loom.assetgroups import GroupKind, GroupRole
from loom.duplicates import DuplicateKind, DuplicateState
from loom.errors import LoomError
from loom.model import ActionKind, Branch, LocationState, RunState, State
from loom.verbs import MAX_PAGE

T = TypeVar("T")

COMPLETED, FAILED = 1, 2
"""`results.state`."""

VERDICTS: tuple[Branch, ...] = (Branch.PASS, Branch.FAIL, Branch.ERROR)
"""`results.verdict` is the index here, or NULL."""
PASSED = 0

LOCATION_STATES: tuple[LocationState, ...] = (
    LocationState.PRESENT,
    LocationState.MISSING,
    LocationState.UNREACHABLE,
)
"""`locations.state` is the index here."""
PRESENT, MISSING, UNREACHABLE = range(3)

RUN_STATES: tuple[RunState, ...] = (
    RunState.RUNNING,
    RunState.COMPLETED,
    RunState.PARTIAL,
    RunState.FAILED,
    RunState.CANCELLED,
    RunState.QUEUED,
)
"""`runs.state` is the index here."""
RUNNING = 0

QUEUED, CLAIMED, ENDED, CANCELLED = range(4)
"""`run_requests.state`."""

DUPLICATE_KINDS: tuple[DuplicateKind, ...] = ("exact", "similar")
"""`duplicates.kind` is the index here."""
EXACT, SIMILAR = range(2)

DUPLICATE_STATES: tuple[DuplicateState, ...] = ("PENDING", "CONFIRMED", "REJECTED")
"""`duplicates.state` is the index here."""
PENDING, CONFIRMED, REJECTED = range(3)

MEMBER, KEPT, LEFT = range(3)
"""`duplicate_members.part` and `duplicate_files.part`: one of the group, the one that is kept, one that is none."""

GROUP_KINDS: tuple[GroupKind, ...] = ("raw", "live-photo", "side-file", "burst")
"""`asset_groups.kind` is the index here."""

GROUP_ROLES: tuple[GroupRole, ...] = ("primary", "raw", "film", "side-file", "shot")
"""`asset_group_members.role` is the index here."""

ACTION_KINDS: tuple[ActionKind, ...] = ("moved", "copied", "wrote", "removed")
"""`actions.kind` is the index here."""
MOVED, REMOVED = 0, 3

ACTION_STATES: tuple[ActionState, ...] = ("BEGUN", "DONE", "UNDONE", "FAILED")
"""`actions.state` is the index here."""
BEGUN, DONE = range(2)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ALL_BITS = (1 << 64) - 1
"""`signed(n) & ALL_BITS` is `n` again, for 64-bit numbers that are never negative, such as inodes."""


def verdict_code(verdict: Branch | None) -> int | None:
    return None if verdict is None else VERDICTS.index(verdict)


def verdict_of(code: int | None) -> Branch | None:
    return None if code is None else VERDICTS[code]


def state_of(code: int) -> State:
    return State.COMPLETED if code == COMPLETED else State.FAILED


def signed(value: int) -> int:
    """A 64-bit number as databases take it. What is out of range wraps, so such a stat merely never looks the same."""
    value &= ALL_BITS
    return value - (1 << 64) if value >> 63 else value


def clean(text: str) -> str:
    """Text that every database takes: no NUL, no lone surrogates (of undecodable file names)."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


def folded(name: bytes) -> str:
    """A file's name as it is searched: decoded as well as it can be, composed, without regard to case."""
    if name.isascii():
        return name.decode("ascii").lower()
    return unicodedata.normalize("NFC", name.decode("utf-8", "replace")).casefold()


def folded_query(text: str) -> str:
    """What a person typed, in the form of `folded`."""
    return folded(clean(text).encode("utf-8"))


def join_path(directory: bytes, name: bytes) -> bytes:
    return directory.rstrip(b"/") + b"/" + name


def split_path(path: bytes) -> tuple[bytes, bytes]:
    """The directory and the name of a file."""
    directory, _, name = path.rpartition(b"/")
    return directory or b"/", name


def shown_path(path: bytes) -> str:
    """A path for people: undecodable bytes are replaced."""
    return path.decode("utf-8", "replace")


def b64_unless_shown(path: bytes, shown: str) -> str | None:
    """The bytes of a path in base64, where bytes had to be replaced."""
    return None if shown.encode("utf-8") == path else base64.b64encode(path).decode("ascii")


def iso(microseconds: int) -> str:
    """ISO 8601 in UTC with milliseconds; times beyond the years 1 to 9999 become the nearest that can be written."""
    try:
        moment = _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        bound = datetime.max if microseconds > 0 else datetime.min
        moment = bound.replace(tzinfo=UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def key_of(*parts: bytes) -> bytes:
    """A 16-byte key for something too long for an index: BLAKE3 of the parts, each preceded by its length."""
    return blake3(b"".join([_with_length(part) for part in parts])).digest(16)


def directory_key(host: str, path: bytes) -> bytes:
    """`key_of(host, path)`, made faster: there are many paths of a host."""
    return blake3(_host_part(host) + _with_length(path)).digest(16)


@lru_cache(maxsize=64)
def _host_part(host: str) -> bytes:
    return _with_length(clean(host).encode("utf-8"))


def _with_length(part: bytes) -> bytes:
    return len(part).to_bytes(8, "big") + part


def to_json(value: Any) -> str:
    """Canonical JSON: keys sorted, no spaces."""
    return msgspec.json.encode(value, order="deterministic").decode("utf-8")


def page_size(limit: int) -> int:
    return max(1, min(limit, MAX_PAGE))


def cursor_of(*key: int | str) -> str:
    """An opaque cursor: the key of the last row of a page."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode("ascii").rstrip("=")


def cut_page(
    rows: Sequence[T], limit: int, key: Callable[[T], tuple[int | str, ...]]
) -> tuple[Sequence[T], str | None]:
    """The rows of a page, and the cursor of the next one, which is the `key` of the last row; None if nothing follows.
    `rows` has at least one more than a page takes if there are more at all."""
    on_page = rows[: page_size(limit)]
    return on_page, cursor_of(*key(on_page[-1])) if len(rows) > len(on_page) else None


def key_of_cursor(cursor: str | None, *types: type[int] | type[str]) -> tuple[Any, ...] | None:
    """What `cursor_of` was given. Raises `REQUEST_INVALID` for anything else."""
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key = msgspec.json.decode(raw, type=tuple)
    except (ValueError, binascii.Error, msgspec.DecodeError, msgspec.ValidationError) as error:
        raise LoomError("REQUEST_INVALID", "The cursor is not one that was given out.") from error
    if tuple(type(part) for part in key) != types or any(type(k) is int and abs(k) >> 63 for k in key):
        raise LoomError("REQUEST_INVALID", "The cursor is not one that was given out.")
    return tuple(key)
