"""Which assets are meant, as routes are asked."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from loom.model import Kind
from loom.steering import AssetQuery

Text = Annotated[str | None, Query(max_length=4096)]
Year = Annotated[int | None, Query(ge=0, le=9999)]


def _asked(
    kind: Kind | None = None,
    path: Text = None,
    q: Text = None,
    collection: Text = None,
    camera: Text = None,
    year: Year = None,
) -> AssetQuery:
    return AssetQuery(kind=kind, path=path, q=q, collection=collection, camera=camera, year=year)


Asked = Annotated[AssetQuery, Depends(_asked)]
