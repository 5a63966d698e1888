"""Sources, and how much is done at a time."""

from __future__ import annotations

from loom.service.base import Holding, now_us
from loom.sources import Source, SourceShape
from loom.store import limits, moving, sources


class LocalSources(Holding):
    """See `loom.verbs.Sources`."""

    def sources(self, *, host: str | None = None) -> list[SourceShape]:
        with self._database.read() as connection:
            return sources.listed(connection, host)

    def source(self, name: str) -> SourceShape:
        with self._database.read() as connection:
            return sources.one(connection, name)

    def save_source(self, source: Source) -> SourceShape:
        with self._database.write() as connection:
            sources.save(connection, source, now_us())
            return sources.one(connection, source.name)

    def remove_source(self, name: str) -> None:
        with self._database.write() as connection:
            sources.remove(connection, name)

    def move_source(self, name: str, path: bytes) -> int:
        with self._database.write() as connection:
            return moving.move(connection, name, path, now_us())

    def source_seen(self, name: str, *, reachable: bool) -> None:
        with self._database.write() as connection:
            sources.note_seen(connection, name, reachable, now_us())


class LocalLimits(Holding):
    """See `loom.verbs.Limits`."""

    def limits(self) -> dict[str, int]:
        with self._database.read() as connection:
            return limits.in_force(connection)

    def set_limit(self, name: str, number: int | None) -> dict[str, int]:
        with self._database.write() as connection:
            limits.change(connection, name, number)
            return limits.in_force(connection)
