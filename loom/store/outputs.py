"""What is read of the outputs of results, to look assets up by: one pass over the JSON of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

METADATA = "media.metadata"
"""The operator whose results tell camera, time and place of capture, and what belongs together."""


class Texts(msgspec.Struct, frozen=True, gc=False):
    """Outputs of these names, of any operator, are texts for people: a text or a list of texts each."""

    title: Any = None
    caption: Any = None
    description: Any = None
    keywords: Any = None
    labels: Any = None
    text: Any = None
    transcript: Any = None
    artist: Any = None
    album: Any = None
    album_artist: Any = None
    composer: Any = None
    genre: Any = None
    copyright: Any = None


class Outputs(Texts, frozen=True, gc=False):
    """And what `media.metadata` tells."""

    camera_make: Any = None
    camera_model: Any = None
    captured_at: Any = None
    latitude: Any = None
    longitude: Any = None
    duration_s: Any = None
    content_id: Any = None
    burst_id: Any = None
    side_file_for: Any = None


NOTHING = Outputs()
_TEXTS = Texts.__struct_fields__
_decode = msgspec.json.Decoder(Outputs).decode
_names_any = re.compile(f'"(?:{"|".join(Outputs.__struct_fields__)})"'.encode()).search


def read(outputs: bytes) -> Outputs:
    """Outputs in JSON; nothing of what is none."""
    if _names_any(outputs) is None:
        return NOTHING
    try:
        return _decode(outputs)
    except msgspec.DecodeError:
        return NOTHING


def texts_of(said: Outputs) -> Iterator[str]:
    for name in _TEXTS:
        value = getattr(said, name)
        if value is None:
            continue
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, str):
                yield one
