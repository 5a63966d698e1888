"""Reading of assets."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from loom.assetgroups import AssetGroupShape
from loom.model import Kind
from loom.service.base import Holding
from loom.shapes import AssetResultsShape, AssetShape, FacetsShape, LocationShape, Page, ResultShape
from loom.steering import ANY_ASSET, AssetQuery
from loom.store import artifacts, assetgroups, assets, facets, locations, results, shown
from loom.store.locations import Original
from loom.verbs import PAGE, Descriptor, Parts


class LocalAssets(Holding):
    """See `loom.verbs.Assets`."""

    def assets(
        self, query: AssetQuery = ANY_ASSET, *, limit: int = PAGE, cursor: str | None = None
    ) -> Page[AssetShape]:
        with self._database.read() as connection:
            return shown.page(connection, query, limit, cursor)

    def assets_with_results(
        self, query: AssetQuery, *, limit: int = PAGE, cursor: str | None = None
    ) -> Page[AssetResultsShape]:
        with self._database.read() as connection:
            return shown.page_with_results(connection, query, limit, cursor)

    def facets(self, query: AssetQuery) -> FacetsShape:
        with self._database.read() as connection:
            return facets.facets(connection, query)

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

    def asset_locations(self, uuid: UUID) -> list[LocationShape]:
        with self._database.read() as connection:
            return shown.locations_of(connection, assets.by_uuid(connection, uuid))

    def asset_groups(self, uuid: UUID) -> list[AssetGroupShape]:
        with self._database.read() as connection:
            return assetgroups.of_asset(connection, uuid)

    def originals(self, uuid: UUID, host: str) -> list[Original]:
        """The files with the bytes of an asset that are present on a host, with their remembered stat."""
        with self._database.read() as connection:
            return locations.originals(connection, assets.by_uuid(connection, uuid), host)

    def asset_results(self, uuid: UUID) -> list[ResultShape]:
        with self._database.read() as connection:
            return results.of_asset(connection, uuid)

    def artifact(self, digest: bytes) -> tuple[str, bytes]:
        with self._database.read() as connection:
            media_type = artifacts.media_type_of(connection, digest)
        return media_type, self._files.read(digest)

    def opened_artifact(self, digest: bytes) -> tuple[str, Parts]:
        """The same, with the bytes in an open file."""
        with self._database.read() as connection:
            media_type = artifacts.media_type_of(connection, digest)
        return media_type, self._files.opened(digest)

    def unnamed_file(self) -> Descriptor:
        """An empty file that goes with its descriptor, for a derived file that comes piece by piece."""
        return self._files.unnamed()

    def places(self, host: str, *, kind: Kind | None = None, collection: str | None = None) -> Iterator[bytes]:
        last = 0
        while True:
            with self._database.read() as connection:
                piece = list(locations.places(connection, host, kind, collection, last))
            if not piece:
                return
            yield from (path for _, path in piece)
            last = piece[-1][0]
