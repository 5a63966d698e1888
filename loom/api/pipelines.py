"""Stored pipelines and their versions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from loom.api.answers import Cursor, Limit, answer, nothing, one_page, route
from loom.api.bodies import PeoplesBody, decoded_object
from loom.api.serving import TheLoom
from loom.api.tags import IfMatch, IfNoneMatch, is_had, quoted, wanted_tag
from loom.errors import LoomError
from loom.shapes import Page, PipelineShape, RunShape
from loom.verbs import PAGE, Loom

router = APIRouter(prefix="/pipelines", tags=["pipelines"])
Name = Annotated[str, Path(max_length=255)]
Version = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("", **route(Page[PipelineShape]))
def list_pipelines(loom: TheLoom, limit: Limit = PAGE, cursor: Cursor = None) -> Response:
    """The current versions of all pipelines, by name."""
    return answer(loom.pipelines(limit=limit, cursor=cursor))


@router.post("", **route(PipelineShape, dict[str, Any]))
def save_pipeline(loom: TheLoom, body: PeoplesBody, if_match: IfMatch = None) -> Response:
    """Saves a definition under the name that it has. One that changes something is a new version (201), one that does
    not is none (200); an invalid one is refused with everything that is wrong with it."""
    before, saved = _save(loom, decoded_object(body), if_match)
    return _saved(saved, is_new=saved.etag != before)


@router.get("/{name}", **route(PipelineShape))
def get_pipeline(
    loom: TheLoom,
    name: Name,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The current version, or the one of that number."""
    found = loom.pipeline(name, version)
    if is_had(if_none_match, found.etag):
        return Response(status_code=304, headers={"ETag": quoted(found.etag)})
    return _pipeline(found)


@router.put("/{name}", **route(PipelineShape, dict[str, Any]))
def put_pipeline(loom: TheLoom, name: Name, body: PeoplesBody, if_match: IfMatch = None) -> Response:
    """As POST, but 201 only for a pipeline that was not there; the name may be left out of the definition."""
    definition = {"name": name, **decoded_object(body)}
    if definition["name"] != name:
        raise LoomError("REQUEST_INVALID", "The definition has another name than the address.")
    before, saved = _save(loom, definition, if_match)
    return _saved(saved, is_new=before is None)


@router.delete("/{name}", **route(status=204))
def delete_pipeline(loom: TheLoom, name: Name, if_match: IfMatch = None) -> Response:
    """Deletes a pipeline; versions that runs refer to are kept."""
    loom.delete_pipeline(name, if_match=wanted_tag(if_match))
    return nothing()


@router.get("/{name}/versions", **route(Page[PipelineShape]))
def list_versions(loom: TheLoom, name: Name, limit: Limit = PAGE, cursor: Cursor = None) -> Response:
    """All versions, the newest first."""
    return answer(one_page(loom.pipeline_versions(name), limit, cursor))


@router.post("/{name}/versions/{version}/restore", **route(PipelineShape))
def restore_version(loom: TheLoom, name: Name, version: Version, if_match: IfMatch = None) -> Response:
    """Makes a new version that says what an old one said."""
    return _pipeline(loom.restore_pipeline(name, version, if_match=wanted_tag(if_match)))


@router.get("/{name}/runs", **route(Page[RunShape]))
def list_runs_of_pipeline(loom: TheLoom, name: Name, limit: Limit = PAGE, cursor: Cursor = None) -> Response:
    """Runs of this pipeline, the newest first; those of a deleted one too."""
    found = loom.runs(pipeline=name, limit=limit, cursor=cursor)
    if not found.items and cursor is None:
        loom.pipeline(name)
    return answer(found)


def _pipeline(shape: PipelineShape) -> Response:
    return answer(shape, headers={"ETag": quoted(shape.etag)})


def _saved(shape: PipelineShape, *, is_new: bool) -> Response:
    headers = {"ETag": quoted(shape.etag), "Location": f"/api/v1/pipelines/{shape.name}"}
    return answer(shape, 201 if is_new else 200, headers)


def _save(loom: Loom, definition: dict[str, Any], if_match: str | None) -> tuple[str | None, PipelineShape]:
    """What is current now, and the tag of what was before, if there was anything."""
    before = _current_tag(loom, definition.get("name"))
    return before, loom.save_pipeline(definition, if_match=wanted_tag(if_match))


def _current_tag(loom: Loom, name: object) -> str | None:
    try:
        return loom.pipeline(name).etag if isinstance(name, str) else None
    except LoomError as error:
        if error.code != "NOT_FOUND":
            raise
        return None
