"""EXIF (CIPA DC-008): values by tag number as read, and the same as plain fields."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from PIL import ExifTags

from cortex.media import dates, gps
from cortex.media.values import clean_text, plain

_SUB_DIRECTORIES = {0x8769: "Exif", 0x8825: "GPS", 0xA005: "Interop"}
_MAKER_NOTE = 0x927C
_NAMES = {"GPS": ExifTags.GPSTAGS}
# Offsets within the file, and the blocks of XMP, IPTC, ICC and PrintIM, which are read on their own or by nobody.
_LEFT_OUT = frozenset({0x8769, 0x8825, 0xA005, 0x201, 0x202, 0x111, 0x117, 0x144, 0x145, 700, 33723, 34675, 0xC4A5})
_LEFT_OUT_BELOW = frozenset({_MAKER_NOTE})
_TEXTS = {0x10F: "camera_make", 0x110: "camera_model", 0x131: "software", 0x13B: "artist", 0x8298: "copyright"}
_RATING = 0x4746
_NUMBERS = {0x829A: "exposure_s", 0x829D: "aperture", 0x920A: "focal_length_mm"}


def directories(exif: Any) -> dict[Any, Any]:
    """All values of Pillow's `Exif` by tag, the sub-directories under `Exif`, `GPS` and `Interop`. What cannot be read
    is left out."""
    found: dict[Any, Any] = {tag: exif.get(tag) for tag in exif}
    for tag, name in _SUB_DIRECTORIES.items():
        if tag in found:
            try:
                found[name] = dict(exif.get_ifd(tag))
            except Exception:  # a damaged sub-directory does not cost the others
                found[name] = {}
    return found


def fields(exif: Mapping[Any, Any]) -> dict[str, Any]:
    """Normalised: camera, lens, exposure, place and time of capture. Only what is valid."""
    detail = exif.get("Exif", {})
    found: dict[str, Any] = {name: clean_text(exif.get(tag)) for tag, name in _TEXTS.items()}
    found["description"] = clean_text(exif.get(0x10E))
    found["lens"] = clean_text(detail.get(0xA434))
    found.update({name: _positive(detail.get(tag)) for tag, name in _NUMBERS.items()})
    iso = detail.get(0x8827)
    iso = iso[0] if isinstance(iso, tuple) and iso else iso
    found["iso"] = iso if isinstance(iso, int) and 0 < iso < 2**31 else None
    rating = exif.get(_RATING)
    # Zero is what is written for no rating.
    found["rating"] = rating if isinstance(rating, int) and 1 <= rating <= 5 else None
    flash = detail.get(0x9209)
    found["flash_fired"] = bool(flash & 1) if isinstance(flash, int) else None
    found.update(gps.fields(exif.get("GPS", {})))
    if told := moments(exif):
        found["captured_at"], found["time_zone"] = told[0].at, told[0].zone
    return {name: value for name, value in found.items() if value is not None}


def readable(exif: Mapping[Any, Any]) -> dict[str, Any]:
    """Everything by name, as JSON values; maker notes are left out."""
    found: dict[str, Any] = {}
    for tag, value in exif.items():
        if isinstance(tag, str):
            names = _NAMES.get(tag, ExifTags.TAGS)
            found.update(
                {_name(names, sub, tag): plain(item) for sub, item in value.items() if sub not in _LEFT_OUT_BELOW}
            )
        elif tag not in _LEFT_OUT:
            found[_name(ExifTags.TAGS, tag, "")] = plain(value)
    return found


def _name(names: Mapping[int, str], tag: int, group: str) -> str:
    return names.get(tag) or f"{group or 'Image'}{tag:#06x}"


def moments(exif: Mapping[Any, Any]) -> list[dates.Taken]:
    """Original, digitised and changed, as far as they are dates; each with its own fraction and zone."""
    detail, satellites = exif.get("Exif", {}), gps.moment(exif.get("GPS", {}))
    found = []
    for where, when, fraction, zone in (
        (detail, 0x9003, 0x9291, 0x9011),
        (detail, 0x9004, 0x9292, 0x9012),
        (exif, 0x0132, 0x9290, 0x9010),
    ):
        moment = dates.from_exif(where.get(when), detail.get(fraction), detail.get(zone))
        if moment is not None:
            found.append(dates.Taken(f"exif/{ExifTags.TAGS[when]}", *dates.with_zone(moment, satellites)))
    return found


def satellites(exif: Mapping[Any, Any]) -> list[dates.Taken]:
    """When the position was taken, which may be long before the picture."""
    moment = gps.moment(exif.get("GPS", {}))
    return [] if moment is None else [dates.Taken("exif/GPSTimeStamp", moment.isoformat())]


def _positive(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return round(number, 6) if math.isfinite(number) and 0 < number < 1e9 else None
