"""Dates of metadata as ISO 8601, with the zone where it is known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

from cortex.media.values import clean_text

Moment = datetime
"""A time of the world's clock when it has a zone, else of the clock on the wall."""


class Taken(NamedTuple):
    """When something was taken, as one place of a file says: `source` is block and name, such as
    `exif/DateTimeOriginal`. `zone` is that of the place, not of a clock that tells UTC by rule."""

    source: str
    at: str
    zone: str | None = None


_EXIF = re.compile(r"(\d{4})[:\-/. ](\d{1,2})[:\-/. ](\d{1,2})[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?")
_ISO = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?)?)?)?$"
)
_ZONE = re.compile(r"([+-])(\d{2}):?(\d{2})$")
_ISO_ZONE = re.compile(r"T.*(?:Z|[+-]\d{2}:\d{2})$")
_FARTHEST_ZONE = timedelta(hours=14)
_QUARTER = timedelta(minutes=15)
_LATE_FIX = timedelta(minutes=2)


def from_exif(text: Any, fraction: Any = None, zone: Any = None) -> Moment | None:
    """EXIF's `YYYY:MM:DD HH:MM:SS` with its separate fraction of a second and zone; None when it is no date
    (`0000:00:00`, blanks)."""
    match = _EXIF.match(clean_text(text) or "")
    if match is None:
        return None
    digits = re.match(r"\d{1,6}", clean_text(fraction) or "")
    microseconds = int(digits[0].ljust(6, "0")) if digits else 0
    return _moment([int(part or 0) for part in match.groups()], microseconds, parse_zone(clean_text(zone)))


def from_iso(text: Any) -> Moment | None:
    """ISO 8601 as XMP and containers write it. None for a year or month alone, which is no moment."""
    match = _ISO.match(clean_text(text) or "")
    if match is None or match[3] is None:
        return from_exif(text)
    numbers = [int(part or 0) for part in match.groups()[:6]]
    microseconds = int((match[7] or "0")[:6].ljust(6, "0"))
    return _moment(numbers, microseconds, parse_zone(match[8]))


def parse_zone(text: str | None) -> timezone | None:
    """`Z`, `+02:00` or `+0200`."""
    if text == "Z":
        return UTC
    match = _ZONE.match(text or "")
    if match is None or int(match[3]) > 59:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    if offset > _FARTHEST_ZONE:
        return None
    return timezone(-offset if match[1] == "-" else offset)


def with_zone(moment: Moment, utc: Moment | None = None) -> tuple[str, str | None]:
    """ISO 8601 text and the zone in it as `+HH:MM`, None when unknown.

    `utc` is when the satellites' clock was last heard: where the camera's clock has no zone and differs from it by a
    zone (whole quarters of an hour, the fix at most two minutes old), that is the zone."""
    if moment.tzinfo is None and utc is not None:
        difference = moment - utc.replace(tzinfo=None)
        offset = round(difference / _QUARTER) * _QUARTER
        if abs(difference - offset) <= _LATE_FIX and abs(offset) <= _FARTHEST_ZONE:
            moment = moment.replace(tzinfo=timezone(offset))
    text = moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return text, None if moment.tzinfo is None else text[-6:]


def agreed(told: Sequence[Taken]) -> Taken | None:
    """The first of all; its zone is another's that shows the same time of day, where it has none itself."""
    if not told or told[0].zone is not None or _has_offset(told[0].at):
        return told[0] if told else None
    first = told[0]
    for other in told[1:]:
        if other.zone is not None and other.at[:19] == first.at[:19]:
            return Taken(first.source, first.at + other.zone, other.zone)
    return first


def _has_offset(at: str) -> bool:
    return _ISO_ZONE.search(at) is not None


def _moment(numbers: list[int], microseconds: int, zone: timezone | None) -> Moment | None:
    year, month, day, hour, minute, second = numbers
    if year < 1:
        return None
    try:
        # A leap second is the last one that a clock here can show.
        return datetime(year, month, day, hour, minute, min(second, 59), microseconds, tzinfo=zone)
    except ValueError:
        return None
