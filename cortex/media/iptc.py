"""IPTC-IIM (version 4.2), the old caption block of press pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cortex.media import dates
from cortex.media.values import clean_text

_NAMES = {
    5: "ObjectName",
    15: "Category",
    25: "Keywords",
    40: "SpecialInstructions",
    55: "DateCreated",
    60: "TimeCreated",
    62: "DigitalCreationDate",
    63: "DigitalCreationTime",
    80: "By-line",
    85: "By-lineTitle",
    90: "City",
    92: "Sub-location",
    95: "Province-State",
    100: "Country-PrimaryLocationCode",
    101: "Country-PrimaryLocationName",
    105: "Headline",
    110: "Credit",
    115: "Source",
    116: "CopyrightNotice",
    120: "Caption-Abstract",
    122: "Writer-Editor",
}
_REPEATED = (25, 80)
_UTF8 = b"\x1b%G"
_MAX_RECORDS = 1000


def parse(block: bytes) -> dict[str, Any]:
    """Values by their names in the specification; `Keywords` and `By-line` are lists. Ends at the first fault."""
    found: dict[str, Any] = {}
    encoding = "latin-1"
    for record, number, value in _records(block):
        if (record, number) == (1, 90) and value == _UTF8:
            encoding = "utf-8"
        name = _NAMES.get(number) if record == 2 else None
        if name is None:
            continue
        text = clean_text(_decoded(value, encoding))
        if text is None:
            continue
        if number in _REPEATED:
            found.setdefault(name, []).append(text)
        else:
            found.setdefault(name, text)
    return found


def _records(block: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    for _ in range(_MAX_RECORDS):
        if at + 5 > len(block) or block[at] != 0x1C:
            return
        length, start = int.from_bytes(block[at + 3 : at + 5], "big"), at + 5
        if length & 0x8000:  # the length of the length
            wide = length & 0x7FFF
            length, start = int.from_bytes(block[start : start + wide], "big") if wide <= 4 else 0, start + wide
        if start + length > len(block):
            return
        yield block[at + 1], block[at + 2], block[start : start + length]
        at = start + length


def _decoded(value: bytes, encoding: str) -> str:
    """Many writers use UTF-8 without saying so."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode(encoding, "replace")


def fields(found: Mapping[str, Any]) -> dict[str, Any]:
    """Normalised."""
    named: dict[str, Any] = {
        "title": found.get("ObjectName") or found.get("Headline"),
        "description": found.get("Caption-Abstract"),
        "artist": ", ".join(found.get("By-line", ())) or None,
        "copyright": found.get("CopyrightNotice"),
        "keywords": found.get("Keywords"),
    }
    if told := moments(found):
        named["captured_at"], named["time_zone"] = told[0].at, told[0].zone
    return {name: value for name, value in named.items() if value is not None}


def moments(found: Mapping[str, Any]) -> list[dates.Taken]:
    """When it was created, and made digital."""
    told = []
    for name, clock_name in (("DateCreated", "TimeCreated"), ("DigitalCreationDate", "DigitalCreationTime")):
        date, time = found.get(name, ""), found.get(clock_name, "")
        if len(date) == 8 and date.isdecimal():
            clock = f"{time[:2]}:{time[2:4]}:{time[4:6]}{time[6:]}" if len(time) >= 6 else "00:00:00"
            moment = dates.from_iso(f"{date[:4]}-{date[4:6]}-{date[6:]}T{clock}")
            if moment is not None:
                told.append(dates.Taken(f"iptc/{name}", *dates.with_zone(moment)))
    return told
