"""XMP (ISO 16684-1): a packet of RDF/XML, flattened to names and texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from xml.parsers import expat

from cortex.media import dates, gps
from cortex.media.values import clean_text

MAX_PACKET = 1024 * 1024
_MAX_DEPTH = 24
_MAX_VALUES = 2000
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_PREFIXES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://creativecommons.org/ns#": "cc",
    "http://ns.useplus.org/ldf/xmp/1.0/": "plus",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/rights/": "xmpRights",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/lightroom/1.0/": "lr",
    "http://ns.adobe.com/camera-raw-settings/1.0/": "crs",
    "http://ns.adobe.com/pdf/1.3/": "pdf",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "Iptc4xmpCore",
    "http://ns.google.com/photos/1.0/panorama/": "GPano",
    "http://www.digikam.org/ns/1.0/": "digiKam",
}
# Histories of edits and embedded thumbnails say nothing of the picture and are long.
_LEFT_OUT = ("xmpMM:", "crs:", "http://ns.adobe.com/xap/1.0/mm/", "http://ns.adobe.com/xap/1.0/g/img/")


_LANGUAGE = "http://www.w3.org/XML/1998/namespace lang"
_RATING = re.compile(r"(-?\d{1,2})(?:\.0*)?$")
_RATIONAL = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)(?:/(\d{1,12}))?$")
_MOMENTS = ("exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate")
_NUMBERS = {
    "exposure_s": ("exif:ExposureTime",),
    "aperture": ("exif:FNumber",),
    "focal_length_mm": ("exif:FocalLength",),
    "iso": ("exifEX:PhotographicSensitivity", "exif:ISOSpeedRatings"),
}


class _RefusedError(Exception):
    """The packet has what no XMP packet may have, or too much of it."""


def parse(packet: bytes) -> dict[str, Any]:
    """Values by `prefix:Name`: a text, or a list of texts for RDF's containers. Empty for a packet that is no XML.

    Document types, and with them entities, are refused, so a packet can neither grow nor name other files."""
    flat = _Flat()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = flat.start
    parser.EndElementHandler = flat.end
    parser.CharacterDataHandler = flat.text
    parser.StartDoctypeDeclHandler = _refuse
    # What came before a fault is kept.
    with suppress(expat.ExpatError, _RefusedError, ValueError, LookupError):
        parser.Parse(packet[:MAX_PACKET].strip(b"\0 \r\n\t"), True)
    return flat.found


def _refuse(*_: Any) -> None:
    raise _RefusedError


class _Flat:
    """Collects the leaves. A leaf belongs to the outermost property it stands in."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}
        self._properties: list[str | None] = []
        self._defaults: list[bool] = []
        self._text: list[str] = []
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._properties) >= _MAX_DEPTH:
            raise _RefusedError
        space, _, local = name.rpartition(" ")
        outer = self._properties[-1] if self._properties else None
        own = None if space in (_RDF, "adobe:ns:meta/", "") else _named(space, local)
        self._properties.append(outer or own)
        self._defaults.append(attributes.get(_LANGUAGE) == "x-default")
        self._text.clear()
        for attribute, value in attributes.items():
            space, _, local = attribute.rpartition(" ")
            if space not in (_RDF, "", "http://www.w3.org/XML/1998/namespace", "adobe:ns:meta/"):
                self._add(self._properties[-1] or _named(space, local), value)

    def text(self, data: str) -> None:
        self._text.append(data)

    def end(self, name: str) -> None:
        own, is_default = self._properties.pop(), self._defaults.pop()
        if own is not None:
            self._add(own, "".join(self._text), first=is_default)
        self._text.clear()

    def _add(self, name: str, value: str, *, first: bool = False) -> None:
        text = clean_text(value)
        if text is None or name.startswith(_LEFT_OUT):
            return
        self._count += 1
        if self._count > _MAX_VALUES:
            raise _RefusedError
        before = self.found.get(name)
        if before is None:
            self.found[name] = text
            return
        values = self.found[name] = before if isinstance(before, list) else [before]
        values.insert(0 if first else len(values), text)


def _named(space: str, local: str) -> str:
    return f"{_PREFIXES.get(space, space)}:{local}"


def fields(found: Mapping[str, Any]) -> dict[str, Any]:
    """Normalised, as far as XMP says what the other blocks do not."""
    if not found:
        return {}
    named: dict[str, Any] = {
        "title": _first(found.get("dc:title")) or _first(found.get("photoshop:Headline")),
        "description": _first(found.get("dc:description")),
        "artist": ", ".join(_all(found.get("dc:creator"))) or None,
        "copyright": _first(found.get("dc:rights")),
        "keywords": _all(found.get("dc:subject")) or None,
        "software": _first(found.get("xmp:CreatorTool")),
        "camera_make": _first(found.get("tiff:Make")),
        "camera_model": _first(found.get("tiff:Model")),
        "lens": _first(found.get("aux:Lens")) or _first(found.get("exifEX:LensModel")),
    }
    rating = _RATING.match(_first(found.get("xmp:Rating")) or "")
    if rating is not None and -1 <= int(rating[1]) <= 5:
        named["rating"] = int(rating[1])
    for name, keys in _NUMBERS.items():
        named[name] = next((number for key in keys if (number := _number(_first(found.get(key))))), None)
    named["iso"] = round(named["iso"] or 0) or None
    named.update(_place(found))
    if told := moments(found):
        named["captured_at"], named["time_zone"] = told[0].at, told[0].zone
    return {name: value for name, value in named.items() if value is not None}


def moments(found: Mapping[str, Any]) -> list[dates.Taken]:
    """When it was taken, by all that say so; dates without a time last."""
    told = [(key, text) for key in _MOMENTS if (text := _first(found.get(key))) is not None]
    told.sort(key=lambda one: ":" not in one[1])
    return [
        dates.Taken(f"xmp/{key}", *dates.with_zone(moment))
        for key, text in told
        if (moment := dates.from_iso(text)) is not None
    ]


def _place(found: Mapping[str, Any]) -> dict[str, Any]:
    latitude, north = gps.from_xmp(_first(found.get("exif:GPSLatitude")))
    longitude, east = gps.from_xmp(_first(found.get("exif:GPSLongitude")))
    below = _first(found.get("exif:GPSAltitudeRef")) == "1"
    altitude = _number(_first(found.get("exif:GPSAltitude")))
    return gps.fields({1: north, 2: latitude, 3: east, 4: longitude, 5: int(below), 6: altitude})


def _number(text: str | None) -> float | None:
    """A number such as `28/10` or `2.8`, at most a thousand million."""
    match = _RATIONAL.match((text or "").strip())
    if match is None or (divisor := float(match[2] or 1)) == 0:
        return None
    number = float(match[1]) / divisor
    return round(number, 6) if number < 1e9 else None


def _all(value: Any) -> list[str]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _first(value: Any) -> str | None:
    values = _all(value)
    return values[0] if values else None
