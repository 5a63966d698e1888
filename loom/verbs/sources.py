"""How folders that are ingested again and again are known by a name."""

from __future__ import annotations

from typing import Protocol

from loom.sources import Source, SourceShape


class Sources(Protocol):
    """Folders that Loom knows by a name. Names are unique, and so is a path on its host."""

    def sources(self, *, host: str | None = None) -> list[SourceShape]:
        """By name."""
        ...

    def source(self, name: str) -> SourceShape: ...

    def save_source(self, source: Source) -> SourceShape:
        """Keeps a new source, or new options and a new marker of one that lies where it lay. Raises `SOURCE_EXISTS`
        when the name is that of another folder, or the folder has another name; `REQUEST_INVALID` for a name or path
        that cannot be one, `NOT_FOUND` for a pipeline that is not stored."""
        ...

    def remove_source(self, name: str) -> None:
        """Forgets the name, not the files. Raises `NOT_FOUND`."""
        ...

    def move_source(self, name: str, path: bytes) -> int:
        """What lay at or below the source's path lies at the same place below `path` now, with all that is known of
        it; returns how many folders. That is told of no file as a change: those that were out of reach stay so until
        they are seen. Files that were found at its path while it was `unreachable` are another disk's, and stay. Other
        sources at or below it go with it. What was known under the new path of a file is missing, unless it has the
        same content; what else was known below `path` stays until someone looks. Raises `NOT_FOUND`, `SOURCE_EXISTS`
        when another source lies there, `REQUEST_INVALID` for a path that cannot be one."""
        ...

    def source_seen(self, name: str, *, reachable: bool) -> None:
        """It was looked for, and found or not. Raises `NOT_FOUND`."""
        ...
