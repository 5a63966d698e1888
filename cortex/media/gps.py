"""Position and time of EXIF's GPS directory."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cortex.media.values import clean_text

_XMP_DEGREES = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])$")


def fields(position: Mapping[Any, Any]) -> dict[str, Any]:
    """`latitude` and `longitude` in degrees (north and east positive), `altitude_m` above the sea. Only in range, and
    never the 0, 0 that devices without a fix write."""
    latitude = _degrees(position.get(2), position.get(1), "S", 90)
    longitude = _degrees(position.get(4), position.get(3), "W", 180)
    found: dict[str, Any] = {}
    if latitude is not None and longitude is not None and (latitude, longitude) != (0, 0):
        found["latitude"], found["longitude"] = latitude, longitude
    altitude = _number(position.get(6))
    if altitude is not None and altitude < 100_000:
        below = position.get(5) in (1, b"\1")
        found["altitude_m"] = round(-altitude if below else altitude, 2)
    return found


def from_xmp(text: str | None) -> tuple[tuple[float, ...] | None, str]:
    """XMP's `48,8.2333N` or `48,8,14N` in the parts that EXIF has: degrees, minutes and perhaps seconds, and the
    side; no parts when it is neither."""
    match = _XMP_DEGREES.match((text or "").strip())
    if match is None:
        return None, ""
    return tuple(float(part) for part in match.groups()[:3] if part is not None), match[4]


def moment(position: Mapping[Any, Any]) -> datetime | None:
    """When the fix was taken, in UTC."""
    date, clock = clean_text(position.get(29)), position.get(7)
    if date is None or not isinstance(clock, tuple) or len(clock) != 3:
        return None
    hour, minute, second = (_number(part) for part in clock)
    try:
        year, month, day = (int(part) for part in date.replace("-", ":").split(":"))
        if hour is None or minute is None or second is None:
            return None
        return datetime(year, month, day, int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        return None


def _degrees(parts: Any, side: Any, negative: str, most: int) -> float | None:
    """Degrees, minutes and seconds as one number."""
    if not isinstance(parts, tuple) or not 1 <= len(parts) <= 3:
        return None
    numbers = [_number(part) for part in parts]
    if any(number is None for number in numbers):
        return None
    degrees = math.fsum((number or 0.0) / (1.0, 60.0, 3600.0)[power] for power, number in enumerate(numbers))
    if degrees > most:
        return None
    return round(-degrees if (clean_text(side) or "").upper().startswith(negative) else degrees, 7)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None
