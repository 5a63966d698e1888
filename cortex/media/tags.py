"""Tags of sound and video (ID3, Vorbis comments, MP4, Matroska …), normalised. FFmpeg has made the names alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cortex.media import dates

_TEXTS: dict[str, tuple[str, ...]] = {
    "title": ("title", "com.apple.quicktime.displayname"),
    "artist": ("artist", "author", "com.apple.quicktime.artist"),
    "album": ("album",),
    "album_artist": ("album_artist",),
    "composer": ("composer",),
    "genre": ("genre",),
    "description": ("description", "comment", "synopsis", "com.apple.quicktime.description"),
    "copyright": ("copyright",),
    "camera_make": ("com.apple.quicktime.make", "make", "com.android.manufacturer"),
    "camera_model": ("com.apple.quicktime.model", "model", "com.android.model"),
    "software": ("com.apple.quicktime.software", "encoder", "software"),
    "content_id": ("com.apple.quicktime.content.identifier",),
}
_DATES = ("com.apple.quicktime.creationdate", "date_recorded", "creation_time", "date_digitized")
_PLACES = ("com.apple.quicktime.location.iso6709", "location", "location-eng")
_ISO_6709 = re.compile(r"([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)([+-]\d+(?:\.\d+)?)?")
_NUMBER = re.compile(r"\s*(\d{1,5})")
_YEAR = re.compile(r"\s*(\d{4})(?!\d)")
_EARLIEST = 1980
"""Containers without a date say 1904 or 1970, where their clocks begin."""


def fields(tags: Mapping[str, str]) -> dict[str, Any]:
    """What of the tags is valid, by the names of `media.metadata`."""
    found: dict[str, Any] = {}
    for name, keys in _TEXTS.items():
        value = next((tags[key] for key in keys if key in tags), None)
        if value is not None:
            found[name] = value
    for name in ("track", "disc"):
        if (match := _NUMBER.match(tags.get(name, ""))) and int(match[1]):
            found[name] = int(match[1])
    if match := _YEAR.match(tags.get("date", "") or tags.get("year", "")):
        found["year"] = int(match[1])
    if told := moments(tags):
        found["captured_at"], found["time_zone"] = told[0].at, told[0].zone
    found.update(_place(tags))
    return found


def moments(tags: Mapping[str, str]) -> list[dates.Taken]:
    """When it was recorded, by all that say so."""
    told = []
    for key in _DATES:
        moment = dates.from_iso(tags.get(key))
        if moment is not None and moment.year >= _EARLIEST:
            text, zone = dates.with_zone(moment)
            # A container's creation time is UTC by rule: that is no knowledge of the zone it was taken in.
            told.append(dates.Taken(f"tags/{key}", text, None if key == "creation_time" else zone))
    return told


def _place(tags: Mapping[str, str]) -> dict[str, Any]:
    """ISO 6709, as phones write it: `+52.5200+013.4050+034.0/`."""
    match = next((m for key in _PLACES if (m := _ISO_6709.match(tags.get(key, "")))), None)
    if match is None:
        return {}
    latitude, longitude = float(match[1]), float(match[2])
    if abs(latitude) > 90 or abs(longitude) > 180 or (latitude, longitude) == (0, 0):
        return {}
    found: dict[str, Any] = {"latitude": latitude, "longitude": longitude}
    if match[3] and abs(float(match[3])) < 100_000:
        found["altitude_m"] = float(match[3])
    return found
