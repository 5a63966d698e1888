"""Derived files, by the BLAKE3 of their bytes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import Response

from loom.api.answers import nothing, route
from loom.api.bodies import ArtifactBody, BatchBody, decoded
from loom.api.files import WholeOrPart, file_answer
from loom.api.serving import TheLoom
from loom.api.streams import TheFiles
from loom.errors import LoomError
from loom.shapes import is_media_type
from loom.verbs import NewArtifact, Parts
from loom.wire.shapes import ArtifactHead
from loom.wire.values import digest_of

router = APIRouter(prefix="/artifacts", tags=["artifacts"])


@router.get("/{digest}", **route(media="*/*"))
def get_artifact(files: TheFiles, digest: str, wanted: WholeOrPart) -> Response:
    """The bytes, which never change. One range may be asked for."""
    return file_answer(*files.opened_artifact(digest_of(digest)), digest, wanted, immutable=True)


router.add_api_route("/{digest}", get_artifact, methods=["HEAD"], include_in_schema=False)


@router.put("/{digest}", **route(status=204, sends="*/*"))
def put_artifact(
    loom: TheLoom,
    digest: str,
    body: ArtifactBody,
    content_type: Annotated[str, Header()] = "application/octet-stream",
) -> Response:
    """Keeps a file; when this is answered it is on the disk."""
    media_type = _media_type(content_type)
    if isinstance(body, Parts):
        loom.put_artifacts([NewArtifact(digest_of(digest), media_type, b"", body)])
    else:
        loom.put_artifacts([NewArtifact(digest_of(digest), media_type, body)])
    return nothing()


@router.post("", **route(status=204, sends="application/octet-stream"))
def put_artifacts(loom: TheLoom, body: BatchBody) -> Response:
    """Keeps several files at once: a line of JSON with an array of `{digest, media_type, size}`, then their bytes in
    the same order."""
    line, _, data = body.partition(b"\n")
    artifacts, start = [], 0
    for head in decoded(line, list[ArtifactHead]):
        media_type = _media_type(head.media_type)
        artifacts.append(NewArtifact(digest_of(head.digest), media_type, data[start : start + head.size]))
        start += head.size
    if start != len(data):
        raise LoomError("REQUEST_INVALID", "The sizes in the first line do not add up to the bytes that follow.")
    loom.put_artifacts(artifacts)
    return nothing()


def _media_type(text: str) -> str:
    """Raises `REQUEST_INVALID` for what could not be sent again as the type of a file."""
    if not is_media_type(text):
        raise LoomError("REQUEST_INVALID", "The type of a derived file is not a media type.")
    return text
