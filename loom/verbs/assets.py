"""How assets are read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from loom.assetgroups import AssetGroupShape
from loom.model import Kind
from loom.shapes import (
    AssetResultsShape,
    AssetShape,
    FacetsShape,
    LocationShape,
    Page,
    ResultShape,
)
from loom.steering import ANY_ASSET, AssetQuery
from loom.verbs.listing import PAGE


class Assets(Protocol):
    """Reading of assets. What does not exist raises `NOT_FOUND`."""

    def assets(
        self, query: AssetQuery = ANY_ASSET, *, limit: int = PAGE, cursor: str | None = None
    ) -> Page[AssetShape]:
        """In the order in which they came to be known. Raises `REQUEST_INVALID` for a place off the globe."""
        ...

    def assets_with_results(
        self, query: AssetQuery, *, limit: int = PAGE, cursor: str | None = None
    ) -> Page[AssetResultsShape]:
        """What `assets` would list, each with what `asset_results` would say of it."""
        ...

    def facets(self, query: AssetQuery) -> FacetsShape:
        """How many assets there are of each kind, camera, year, place and colour, among those that `assets` would
        list."""
        ...

    def asset(self, uuid: UUID) -> AssetShape: ...

    def asset_by_hash(self, algorithm: str, digest: bytes) -> AssetShape:
        """`algorithm` is one of `blake3`, `sha256`, `sha512`, `md5`."""
        ...

    def asset_by_path(self, host: str, path: bytes) -> AssetShape: ...

    def asset_results(self, uuid: UUID) -> list[ResultShape]: ...

    def asset_locations(self, uuid: UUID) -> list[LocationShape]:
        """Where its bytes lie, and where they lay, with what became of them there."""
        ...

    def asset_groups(self, uuid: UUID) -> list[AssetGroupShape]:
        """The groups of assets that belong together in which it is, the oldest first."""
        ...

    def artifact(self, digest: bytes) -> tuple[str, bytes]:
        """Media type and bytes."""
        ...

    def places(self, host: str, *, kind: Kind | None = None, collection: str | None = None) -> Iterable[bytes]:
        """Paths of the present files on this host, one for each asset."""
        ...
