"""Reading of assets."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from loom.model import Kind
from loom.service.base import Holding
from loom.shapes import AssetShape, Page, ResultShape
from loom.store import artifacts, assets, locations, results, shown
from loom.verbs import PAGE


class LocalAssets(Holding):
    """See `loom.verbs.Assets`."""

    def assets(
        self,
        *,
        kind: Kind | None = None,
        path: str | None = None,
        q: str | None = None,
        collection: str | None = None,
        limit: int = PAGE,
        cursor: str | None = None,
    ) -> Page[AssetShape]:
        with self._database.read() as connection:
            return shown.page(connection, kind=kind, path=path, q=q, collection=collection, limit=limit, cursor=cursor)

    def asset(self, uuid: UUID) -> AssetShape:
        with self._database.read() as connection:
            return shown.one(connection, assets.by_uuid(connection, uuid))

    def asset_by_hash(self, algorithm: str, digest: bytes) -> AssetShape:
        """Raises `REQUEST_INVALID` for another algorithm."""
        with self._database.read() as connection:
            return shown.one(connection, assets.by_hash(connection, algorithm, digest))

    def asset_by_path(self, host: str, path: bytes) -> AssetShape:
        with self._database.read() as connection:
            return shown.one(connection, assets.by_path(connection, host, path))

    def asset_results(self, uuid: UUID) -> list[ResultShape]:
        with self._database.read() as connection:
            return results.of_asset(connection, uuid)

    def artifact(self, digest: bytes) -> tuple[str, bytes]:
        with self._database.read() as connection:
            media_type = artifacts.media_type_of(connection, digest)
        return media_type, self._files.read(digest)

    def places(self, host: str, *, kind: Kind | None = None, collection: str | None = None) -> Iterator[bytes]:
        last = 0
        while True:
            with self._database.read() as connection:
                piece = list(locations.places(connection, host, kind, collection, last))
            if not piece:
                return
            yield from (path for _, path in piece)
            last = piece[-1][0]
