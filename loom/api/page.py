"""The page: one HTML file for every address of a view, and the files that it names, all from this server."""

from __future__ import annotations

import re
from hashlib import blake2b
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from loom.api.tags import IfNoneMatch, is_had, quoted
from loom.errors import LoomError

router = APIRouter(include_in_schema=False)

_FOLDER = Path(__file__).parents[1] / "page"
_VIEWS = (
    "runs",
    "failures",
    "library",
    "assets",
    "duplicates",
    "sources",
    "pipelines",
    "processes",
    "operators",
    "system",
)
_VIEW = re.compile(f"/(?:(?:{'|'.join(_VIEWS)})(?:/.*)?)?")
_FILE = re.compile(r"(?:views/)?[a-z_]{1,40}(\.js|\.css|\.svg)")
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)


def is_of_page(path: str) -> bool:
    """Whether a path is that of a view or of a file of the page, which say nothing of what Loom keeps."""
    return path.startswith("/page/") or _VIEW.fullmatch(path) is not None


@router.api_route("/page/{name:path}", methods=["GET", "HEAD"])
def page_file(name: str, if_none_match: IfNoneMatch = None) -> Response:
    """A module, the style sheet or the icon."""
    match = _FILE.fullmatch(name)
    file = _FOLDER / name
    if match is None or not file.is_file():
        raise LoomError("NOT_FOUND")
    return _answer(file, if_none_match)


def page(if_none_match: IfNoneMatch = None) -> Response:
    """The HTML, which finds out from its address what to show."""
    return _answer(_FOLDER / "index.html", if_none_match)


for _address in ("/", *(f"/{view}{more}" for view in _VIEWS for more in ("", "/{rest:path}"))):
    router.add_api_route(_address, page, methods=["GET", "HEAD"])


def _answer(file: Path, if_none_match: str | None) -> Response:
    """The file, kept by the browser but asked for anew: another version of the server has another page."""
    data = file.read_bytes()
    tag = blake2b(data, digest_size=16).hexdigest()
    headers = {"ETag": quoted(tag), "Cache-Control": "no-cache", "Content-Security-Policy": _POLICY}
    if is_had(if_none_match, tag):
        return Response(status_code=304, headers=headers)
    return Response(data, 200, headers, _TYPES[file.suffix])
