"""Sources and limits, as people and workers say them over HTTP."""

from __future__ import annotations

import os
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from loom.errors import LoomError
from loom.sources import Marker, Source, SourceOptions
from loom.wire.shapes import Name

Text = Annotated[str, Meta(max_length=4096)]
Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class PathWire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A path: as text, or (of any bytes) as base64 of these."""

    path: Text | None = None
    path_b64: bytes | None = None

    def exactly(self) -> bytes:
        """Raises `REQUEST_INVALID`."""
        if (self.path is None) is (self.path_b64 is None):
            raise LoomError("REQUEST_INVALID", "Either `path` or `path_b64` is expected.")
        return os.fsencode(self.path) if self.path is not None else self.path_b64 or b""


class MarkerWire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By what the disk of a source is known again: the id of its file system, or what the file `.loom-source` in the
    folder says. `inside` is the folder's path below the file system's top; `inside_b64` replaces it."""

    kind: Literal["filesystem", "file"]
    id: Name
    inside: Text = ""
    inside_b64: bytes | None = None


class SourceWire(PathWire, frozen=True, kw_only=True):
    """A folder (or file) on a host, with the options of its ingest."""

    host: Name
    options: SourceOptions = SourceOptions()
    marker: MarkerWire | None = None


class SourceSeenWire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was found when a source was looked for."""

    reachable: bool


class LimitWire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    number: Number


class LimitsWire(msgspec.Struct, frozen=True, kw_only=True):
    """Those in force: by operator, capability, or `jobs` for all worker processes together."""

    limits: dict[str, int]


def source_to_wire(source: Source) -> SourceWire:
    marker = source.marker
    return SourceWire(
        path_b64=source.path,
        host=source.host,
        options=source.options,
        marker=None if marker is None else MarkerWire(kind=marker.kind, id=marker.id, inside_b64=marker.inside),
    )


def source_of_wire(name: str, wire: SourceWire) -> Source:
    """Raises `REQUEST_INVALID`."""
    return Source(
        name=name,
        host=wire.host,
        path=wire.exactly(),
        options=wire.options,
        marker=None if wire.marker is None else _marker_of_wire(wire.marker),
    )


def _marker_of_wire(wire: MarkerWire) -> Marker:
    inside = os.fsencode(wire.inside) if wire.inside_b64 is None else wire.inside_b64
    return Marker(kind=wire.kind, id=wire.id, inside=inside)
