"""What the API offers: its OpenAPI document, and the same as a page without scripts that needs no other server."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from loom.api.answers import answer, route

router = APIRouter(tags=["documentation"])

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.1rem;margin:2rem 0 .4rem;text-transform:capitalize}p{white-space:pre-wrap}
details{border:1px solid #d5dae1;border-radius:6px;margin:.3rem 0;padding:.35rem .7rem}summary{cursor:pointer}
code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}b{display:inline-block;min-width:4.2rem}
table{border-collapse:collapse;margin:.4rem 0}td,th{text-align:left;vertical-align:top;padding:.15rem .9rem .15rem 0}
@media(prefers-color-scheme:dark){body{color:#e3e6ea;background:#15181c}details{border-color:#3a414b}a{color:#8ab4f8}}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@router.get("/openapi.json", **route(dict[str, Any]))
def openapi(request: Request) -> Response:
    """This API as an OpenAPI document."""
    return answer(request.app.openapi())


@router.get("/docs", **route(media="text/html"))
def docs(request: Request) -> Response:
    """This API as a page to read."""
    page = "".join(_page(request.app.openapi()))
    return Response(page, headers={"Content-Security-Policy": _POLICY}, media_type="text/html")


def _page(document: dict[str, Any]) -> Iterator[str]:
    info = document["info"]
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{_STYLE}</style><h1>{escape(info['title'])} {escape(info['version'])}</h1>"
    yield f"<p>{escape(info['description'])}</p>"
    groups: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][0], []).extend(_operation(method, path, operation))
    for group, parts in groups.items():
        yield f"<h2>{escape(group)}</h2>{''.join(parts)}"
    yield "<h2>shapes</h2>"
    for name, schema in document["components"]["schemas"].items():
        yield from _schema(name, schema)


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code></summary>"
    yield f"<p>{escape(operation.get('description') or operation['summary'])}</p><table>"
    for parameter in operation.get("parameters", []):
        about = parameter.get("description", "")
        yield _row(f"{parameter['in']} <code>{escape(parameter['name'])}</code>", parameter["schema"], about)
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield _row("body", content["schema"], media)
    for status, response in operation["responses"].items():
        for media, content in response.get("content", {"": {"schema": {}}}).items():
            yield _row(escape(status), content.get("schema", {}), media)
    yield "</table></details>"


def _schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>'
    yield f"<p>{escape(schema.get('description', ''))}</p><table>"
    required = schema.get("required", [])
    for field, inner in schema.get("properties", {}).items():
        yield _row(f"<code>{escape(field)}</code>", inner, "" if field in required else "optional")
    if "properties" not in schema:
        yield _row("", schema, "")
    yield "</table></details>"


def _row(head: str, schema: dict[str, Any], about: str) -> str:
    return f"<tr><td>{head}<td>{_type(schema)}<td>{escape(about)}"


def _type(schema: dict[str, Any]) -> str:
    """A schema in a few words; what is defined elsewhere as a link."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#{name}"><code>{name}</code></a>'
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(one))}</code>" for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items') or {})}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    said = (schema.get("type", ""), schema.get("format") or schema.get("contentEncoding") or schema.get("pattern", ""))
    return escape(" ".join(str(part) for part in said if part))
