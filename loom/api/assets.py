"""Assets: looked for by people, told by workers."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from loom.api.answers import Cursor, Limit, answer, nothing, number_of, one_page, route
from loom.api.bodies import BatchBody, PeoplesBody, decoded
from loom.api.files import WholeOrPart, file_answer
from loom.api.queries import Asked
from loom.api.serving import TheHub, TheLoom
from loom.api.streams import TheFiles
from loom.assetgroups import AssetGroupShape
from loom.bus.filter import Filter, asset_key
from loom.bus.frames import AssetFrame, NodeFrame
from loom.errors import LoomError
from loom.people import AlikeShape, FaceShape
from loom.shapes import AssetResultsShape, AssetShape, FacetsShape, LocationShape, Page, ResultShape
from loom.verbs import PAGE
from loom.verbs.people import FARTHEST, AlikeBy
from loom.wire.ledger import report_of_wire
from loom.wire.shapes import AssetsWire, PathQuestion, Sizes
from loom.wire.values import bytes_of, digest_of

router = APIRouter(prefix="/assets", tags=["assets"])
THUMBNAIL = "thumbnail"


@router.get("", **route(Page[AssetShape]))
def list_assets(
    loom: TheLoom,
    query: Asked,
    limit: Limit = PAGE,
    cursor: Cursor = None,
) -> Response:
    """Assets by kind, path, name, hash, collection, by what results say of them, by camera, day and place of
    capture, and by colour; all that is asked must hold."""
    return answer(loom.assets(query, limit=limit, cursor=cursor))


@router.get("/results", **route(Page[AssetResultsShape]))
def list_assets_with_results(
    loom: TheLoom,
    query: Asked,
    limit: Limit = PAGE,
    cursor: Cursor = None,
) -> Response:
    """What is listed with the same query, each asset with all its results."""
    return answer(loom.assets_with_results(query, limit=limit, cursor=cursor))


@router.get("/facets", **route(FacetsShape))
def count_assets(
    loom: TheLoom,
    query: Asked,
) -> Response:
    """How many assets there are of each kind, camera, year, place and colour, among those that are listed with the
    same query."""
    return answer(loom.facets(query))


@router.post("", **route(takes=AssetsWire, status=204))
def report_assets(loom: TheLoom, body: BatchBody) -> Response:
    """Stores assets and where they lie, without results."""
    said = decoded(body, AssetsWire)
    loom.report(said.run, [report_of_wire(item) for item in said.items])
    return nothing()


@router.post("/sizes", **route(Sizes, Sizes))
def known_sizes(loom: TheLoom, body: BatchBody) -> Response:
    """Which of these sizes some known asset has."""
    return answer(Sizes(sorted(loom.known_sizes(decoded(body, Sizes).sizes))))


@router.post("/by-path", **route(AssetShape, PathQuestion))
def get_asset_by_path(loom: TheLoom, body: PeoplesBody) -> Response:
    """The asset whose bytes lie at a path, which may be of any bytes."""
    asked = decoded(body, PathQuestion)
    return answer(loom.asset_by_path(asked.host, asked.path_b64))


@router.get("/by-hash/{algorithm}/{digest}", **route(AssetShape))
def get_asset_by_hash(loom: TheLoom, algorithm: str, digest: str) -> Response:
    """`algorithm` is one of blake3, sha256, sha512, md5; the digest is hexadecimal."""
    return answer(loom.asset_by_hash(algorithm, bytes_of(digest)))


@router.get("/{uuid}", **route(AssetShape))
def get_asset(loom: TheLoom, uuid: UUID) -> Response:
    return answer(loom.asset(uuid))


@router.get("/{uuid}/results", **route(Page[ResultShape]))
def list_results_of_asset(loom: TheLoom, uuid: UUID, limit: Limit = PAGE, cursor: Cursor = None) -> Response:
    """All results that are stored for an asset."""
    return answer(one_page(loom.asset_results(uuid), limit, cursor))


@router.get("/{uuid}/locations", **route(Page[LocationShape]))
def list_locations_of_asset(loom: TheLoom, uuid: UUID, limit: Limit = PAGE, cursor: Cursor = None) -> Response:
    """Where the bytes of an asset lie, and where they lay, with what became of them there."""
    return answer(one_page(loom.asset_locations(uuid), limit, cursor))


@router.get("/{uuid}/groups", **route(Page[AssetGroupShape]))
def list_groups_of_asset(loom: TheLoom, uuid: UUID, limit: Limit = PAGE, cursor: Cursor = None) -> Response:
    """What belongs together with an asset: raw and picture, still and film, side files, shots of a burst."""
    return answer(one_page(loom.asset_groups(uuid), limit, cursor))


@router.get("/{uuid}/people", **route(Page[FaceShape]))
def list_people_of_asset(loom: TheLoom, uuid: UUID, limit: Limit = PAGE, cursor: Cursor = None) -> Response:
    """The faces in an asset that are sorted, with whom each is."""
    return answer(one_page(loom.asset_people(uuid), limit, cursor))


@router.get("/{uuid}/alike", **route(Page[AlikeShape]))
def list_assets_alike(
    loom: TheLoom,
    uuid: UUID,
    of: Annotated[AlikeBy | None, Query(description="Which operator's vectors; else the first that it has.")] = None,
    distance: Annotated[float, Query(ge=0, le=FARTHEST, description="At most; 1 less the cosine.")] = FARTHEST,
    limit: Limit = PAGE,
) -> Response:
    """Assets that a model takes for alike, the nearest first."""
    return answer(Page(items=loom.asset_alike(uuid, of=of, distance=distance, limit=limit)))


@router.get("/{uuid}/events", **route(Page[AssetFrame | NodeFrame]))
def list_events_of_asset(
    loom: TheLoom, hub: TheHub, uuid: UUID, limit: Limit = PAGE, cursor: Cursor = None
) -> Response:
    """What happened to an asset, the newest first, as far as the bus still has it: its last 100,000 events."""
    loom.asset(uuid)
    before = None if cursor is None else number_of(cursor)
    wanted = Filter(assets=frozenset({asset_key(uuid.bytes)}), types=frozenset({"asset", "node"}))
    found = hub.look_back(wanted, limit, before)
    more = str(found.upto) if len(found.frames) == limit else None
    return answer(Page(items=[msgspec.Raw(frame) for frame in found.frames], next=more))


@router.get("/{uuid}/thumbnail", **route(media="image/*"))
def get_thumbnail(
    loom: TheLoom,
    files: TheFiles,
    uuid: UUID,
    wanted: WholeOrPart,
    absent: Literal["problem", "empty"] = "problem",
) -> Response:
    """The newest thumbnail of an asset, good for a minute: another run may make a newer one. `Content-Location` names
    the file itself, which never changes. `absent=empty`: where there is none, an empty answer (204)."""
    found = [
        (result.finished or "", artifact.digest)
        for result in loom.asset_results(uuid)
        for artifact in result.artifacts
        if artifact.name == THUMBNAIL
    ]
    if not found:
        if absent == "empty":
            return nothing()
        raise LoomError("NOT_FOUND", "There is no thumbnail of this asset.")
    digest = max(found)[1]
    thumbnail = file_answer(*files.opened_artifact(digest_of(digest)), digest, wanted, immutable=False)
    thumbnail.headers["Content-Location"] = f"/api/v1/artifacts/{digest}"
    return thumbnail


router.add_api_route("/{uuid}/thumbnail", get_thumbnail, methods=["HEAD"], include_in_schema=False)
