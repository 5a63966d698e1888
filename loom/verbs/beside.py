"""What is told of assets that may belong together: when and by what they were taken, and what they lie beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from loom.assetgroups import GroupKind, GroupRole
from loom.model import Kind

MOST_NEIGHBOURS = 500
MOST_GROUPED = 1000
"""No more members are told at once."""
SUPPLEMENT = b".supplemental-metadata"
"""What stands between the name of a picture and `.json` in Google's exports."""
BURST_US = 1_000_000
"""Shots of a burst are no farther apart, in microseconds."""

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_MOST = 200
"""Characters of a camera's name, and of what stands for a content or burst."""
_LONGEST_MS = 2**53


class Shot(NamedTuple):
    """What `media.metadata` says of how something was taken. `moment` is the time on the clock of the place, in
    microseconds since 1970 there; `zone` how many minutes that is ahead of UTC, if known. `content_id` is the same in a
    still and its film, `burst_id` in the shots of a burst. `side_file_for` is the ending of the picture that a side
    file tells of, in lower case."""

    camera: str | None = None
    moment: int | None = None
    zone: int | None = None
    duration_ms: int | None = None
    content_id: str | None = None
    burst_id: str | None = None
    side_file_for: str | None = None


class Neighbour(NamedTuple):
    """Another asset, named by its BLAKE3. `own_name` and `name` are those of files of both in one folder; empty where
    it is known by an identifier alone."""

    asset: bytes
    kind: Kind
    mime: str
    own_name: bytes
    name: bytes
    shot: Shot


class Belonging(Protocol):
    """Assets are named by their BLAKE3."""

    def beside(self, asset: bytes) -> list[Neighbour]:
        """What may belong to an asset that is stored: present files in the same folders whose names are the same up to
        the ending, or begin with its whole name, or the other way round; pictures there by the same camera, taken
        within two seconds; and what has the same content or burst identifier, wherever it lies. At most
        `MOST_NEIGHBOURS`; none for an asset that is not known."""
        ...

    def group(self, kind: GroupKind, anchor: bytes | None, members: Sequence[tuple[bytes, GroupRole]]) -> UUID | None:
        """Says that assets belong together; gives their group, None if fewer than two of them are known. There is one
        group of a kind for each anchor, which is one of its members; without an anchor, groups of the kind with a
        member in common become one. Members are only ever added. Raises `REQUEST_INVALID` for kinds and roles that
        there are not, more than `MOST_GROUPED` members, and an anchor that is none of them."""
        ...


def shot_of(value: Callable[[str], Any]) -> Shot:
    """Of outputs of `media.metadata`, asked for by their names; what is of another form counts as missing."""
    moment, zone = moment_of(value("captured_at"))
    content = _text(value("content_id"))
    length = value("duration_s")
    is_length = isinstance(length, int | float) and 0 <= length * 1000 < _LONGEST_MS
    ending = _text(value("side_file_for"))
    return Shot(
        camera=camera_of(value("camera_make"), value("camera_model")),
        moment=moment,
        zone=zone,
        # Of things without a time it would say nothing.
        duration_ms=round(length * 1000) if is_length and (moment is not None or content) else None,
        content_id=content,
        burst_id=_text(value("burst_id")),
        side_file_for=None if ending is None else ending.lower().lstrip(".") or None,
    )


def camera_of(make: Any, model: Any) -> str | None:
    """A camera is called by its model, with its make before it unless it begins so."""
    make, model = (part.strip() if isinstance(part, str) else "" for part in (make, model))
    name = model if model.casefold().startswith(make.casefold()) else f"{make} {model}"
    return name.strip()[:_MOST] or None


def moment_of(captured_at: Any) -> tuple[int | None, int | None]:
    """The time on the clock of the place, and its zone in minutes, of ISO 8601 with a time of day."""
    if not isinstance(captured_at, str) or "T" not in captured_at:
        return None, None
    try:
        told = datetime.fromisoformat(captured_at)
        ahead = told.utcoffset()
        moment = (told.replace(tzinfo=None) - _EPOCH) // _MICROSECOND
    except ValueError:
        return None, None
    return moment, None if ahead is None else round(ahead.total_seconds() / 60)


def _text(value: Any) -> str | None:
    return value.strip()[:_MOST] or None if isinstance(value, str) else None
