"""XMP (ISO 16684-1) as text: a small writer for side files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from cortex.operators.references import number_of, texts_of

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
}
_RATINGS = range(-1, 6)


def packet(asset: str, values: Mapping[str, Any]) -> str:
    """A packet with what the values of `FIELDS` say; those that are not there, or that their property cannot have, are
    left out. `asset` is the UUID of the asset."""
    lines = [_property("dc:identifier", f"urn:uuid:{asset}")]
    for name, write in FIELDS.items():
        value = values.get(name)
        if value is not None:
            lines.extend(write(value))
    spaces = "\n".join(f"    xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in _SPACES.items() if prefix != "rdf")
    body = "\n".join(f"   {line}" for line in lines)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="cortex">\n'
        f" <rdf:RDF xmlns:rdf={quoteattr(_SPACES['rdf'])}>\n"
        f'  <rdf:Description rdf:about=""\n{spaces}>\n{body}\n  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n'
    )


def _property(name: str, text: str) -> str:
    return f"<{name}>{escape(_NO_XML.sub('', text))}</{name}>"


def _texts(name: str, container: str, texts: list[str]) -> list[str]:
    """The texts, each once, in a container of RDF."""
    kept = [escape(clean) for text in dict.fromkeys(texts) if (clean := _NO_XML.sub("", text).strip())]
    language = ' xml:lang="x-default"' if container == "Alt" else ""
    items = "".join(f"<rdf:li{language}>{text}</rdf:li>" for text in (kept[:1] if container == "Alt" else kept))
    return [f"<{name}><rdf:{container}>{items}</rdf:{container}></{name}>"] if items else []


def _in(name: str, container: str) -> Callable[[Any], list[str]]:
    return lambda value: _texts(name, container, texts_of(value))


def _text(name: str) -> Callable[[Any], list[str]]:
    return lambda value: [_property(name, text.strip()) for text in texts_of(value)[:1] if text.strip()]


def _rating(value: Any) -> list[str]:
    return [_property("xmp:Rating", str(int(value)))] if number_of(value) in _RATINGS else []


def _captured(value: Any) -> list[str]:
    try:
        moment = datetime.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        return []
    return [_property(name, moment) for name in ("exif:DateTimeOriginal", "photoshop:DateCreated")]


def _degrees(name: str, sides: str, most: int) -> Callable[[Any], list[str]]:
    """XMP's `DDD,MM.mmmmmmS`, to within a tenth of a metre."""

    def write(value: Any) -> list[str]:
        degrees = number_of(value)
        if degrees is None or abs(degrees) > most:
            return []
        whole, millionths = divmod(round(abs(degrees) * 60_000_000), 60_000_000)
        return [_property(name, f"{whole},{millionths / 1_000_000:.6f}{sides[degrees < 0]}")]

    return write


FIELDS: dict[str, Callable[[Any], list[str]]] = {
    "title": _in("dc:title", "Alt"),
    "description": _in("dc:description", "Alt"),
    "creator": _in("dc:creator", "Seq"),
    "copyright": _in("dc:rights", "Alt"),
    "keywords": _in("dc:subject", "Bag"),
    "rating": _rating,
    "label": _text("xmp:Label"),
    "captured_at": _captured,
    "latitude": _degrees("exif:GPSLatitude", "NS", 90),
    "longitude": _degrees("exif:GPSLongitude", "EW", 180),
    "camera_make": _text("tiff:Make"),
    "camera_model": _text("tiff:Model"),
}
"""What a side file may say, and how each is written."""
