"""Folders that are ingested again and again, known by a name, and how they are known again at another place."""

from __future__ import annotations

import base64
import re
from typing import Literal

import msgspec

from loom.errors import LoomError

SOURCE_NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """By what the disk of a source is known again wherever it is mounted: the id of its file system (`filesystem`), or
    what a file `.loom-source` in the folder says (`file`). `inside`: the folder's path below the file system's top."""

    kind: Literal["filesystem", "file"]
    id: str
    inside: bytes = b""


class SourceOptions(msgspec.Struct, frozen=True, kw_only=True):
    """As the options of `cortex ingest`. `pipeline` None: the one whose `match` fits."""

    pipeline: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    hidden: bool = False


def check_patterns(options: SourceOptions) -> None:
    """Raises `REQUEST_INVALID` for a pattern that has no meaning: nothing could be scanned with it."""
    from pathspec import GitIgnoreSpec

    for pattern in (*options.include, *options.exclude):
        try:
            GitIgnoreSpec.from_lines([pattern], backend="simple")
        except (ValueError, re.error) as error:
            raise LoomError("REQUEST_INVALID", f"The pattern {pattern!r} cannot be understood: {error}") from None


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A folder (or file) on a host. Without a marker it is known by its path alone."""

    name: str
    host: str
    path: bytes
    options: SourceOptions = SourceOptions()
    marker: Marker | None = None


class MarkerShape(msgspec.Struct, frozen=True, kw_only=True):
    """`inside_b64` is there when bytes of `inside` had to be replaced."""

    kind: Literal["filesystem", "file"]
    id: str
    inside: str
    inside_b64: str | None = None

    def marker(self) -> Marker:
        return Marker(kind=self.kind, id=self.id, inside=_exactly(self.inside, self.inside_b64))


class SourceShape(msgspec.Struct, frozen=True, kw_only=True):
    """`path_b64` is there when bytes of the path had to be replaced. `state` is what was found when it was last looked
    for (`seen`); `files` are the locations at or below it that Loom takes for present."""

    name: str
    host: str
    path: str
    path_b64: str | None = None
    options: SourceOptions
    marker: MarkerShape | None = None
    state: Literal["unknown", "reachable", "unreachable"] = "unknown"
    seen: str | None = None
    created: str
    files: int = 0

    def source(self) -> Source:
        """With the exact bytes of its path."""
        return Source(
            name=self.name,
            host=self.host,
            path=_exactly(self.path, self.path_b64),
            options=self.options,
            marker=None if self.marker is None else self.marker.marker(),
        )


def _exactly(shown: str, encoded: str | None) -> bytes:
    return shown.encode("utf-8") if encoded is None else base64.b64decode(encoded)
