import importlib
import pkgutil
import re

import httpx
import msgspec
import pytest
from fastapi.routing import APIRoute
from jsonschema import Draft202012Validator
from ledgers import definition, toy_operators

import loom.api
from loom.api import docs, health
from loom.api.answers import COMPONENTS
from loom.api.app import PREFIX, create_app
from loom.api.guard import OPEN_PATHS
from loom.api.problems import RefusalShape
from loom.bus.frames import Answer, Frame, PublishFrame
from loom.bus.hub import Hub


@pytest.fixture
def document(server, token):
    return httpx.get(f"{server.url}/openapi.json", headers={"Authorization": f"Bearer {token}"}).json()


def references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


PINNED = """
GET /pipelines, POST /pipelines, GET /pipelines/{name}, PUT /pipelines/{name}, DELETE /pipelines/{name},
GET /pipelines/{name}/versions, POST /pipelines/{name}/versions/{version}/restore, GET /pipelines/operators,
GET /pipelines/operators/{operator}, POST /pipelines/compile, GET /pipelines/{name}/runs, GET /runs, GET /runs/{uuid},
GET /runs/{uuid}/results, GET /failures, GET /assets, GET /assets/{uuid}, GET /assets/{uuid}/results,
GET /assets/{uuid}/locations, GET /assets/by-hash/{algorithm}/{digest}, GET /assets/{uuid}/thumbnail,
GET /artifacts/{digest}, PUT /artifacts/{digest}, POST /runs, POST /runs/{uuid}/finish, POST /assets,
POST /locations/lookup, POST /results/lookup, POST /results, GET /workers, GET /processing-servers,
GET /pipelines/runtime/status, POST /pipelines/{name}/runs, GET /pipelines/{name}/plan, POST /runs/claim,
POST /runs/orders, POST /runs/{uuid}/release, POST /runs/{uuid}/pause, POST /runs/{uuid}/resume,
POST /runs/{uuid}/cancel, POST /runs/{uuid}/retry, GET /runs/{uuid}/grid, POST /failures/retry,
POST /failures/set-aside, GET /sources, GET /sources/{name}, PUT /sources/{name}, DELETE /sources/{name},
POST /sources/{name}/move, POST /sources/{name}/seen, GET /limits, PUT /limits/{name}, DELETE /limits/{name},
GET /assets/facets, GET /assets/{uuid}/content
"""


def served():
    """What the routers of the resources offer."""
    for module in pkgutil.iter_modules(loom.api.__path__, "loom.api."):
        found = importlib.import_module(module.name)
        prefix = "" if found in (health, docs) else PREFIX
        for route in found.router.routes if hasattr(found, "router") else ():
            if isinstance(route, APIRoute) and route.include_in_schema:
                yield from ((method, prefix + route.path) for method in route.methods)


def test_it_lists_every_route_with_shapes_that_exist(document):
    assert document["openapi"].startswith("3.1")
    listed = {(method.upper(), path) for path, one in document["paths"].items() for method in one}
    assert listed == set(served())
    pinned = {tuple(line.split()) for line in PINNED.replace("\n", " ").split(", ")}
    assert {(method, f"{PREFIX}{path}") for method, path in pinned} <= listed
    names = document["components"]["schemas"]
    assert {ref.rsplit("/", 1)[-1] for ref in references(document)} <= set(names)
    assert {"AssetShape", "ResultShape", "RunShape", "ProblemShape", "NodeFrame"} <= set(names)


def test_no_two_shapes_have_one_name(loom):
    app = create_app(loom, Hub(), toy_operators(), token="x")
    every = [RefusalShape, Frame, Answer, PublishFrame]
    _, found = msgspec.json.schema_components(every, ref_template="#/components/schemas/{name}")
    for route in app.routes:
        for name, schema in (getattr(route, "openapi_extra", None) or {}).get(COMPONENTS, {}).items():
            assert found.setdefault(name, schema) == schema, f"{name} of {route.path}"


def test_answers_are_of_the_shapes_that_it_gives(document, http):
    http.post("/pipelines", json=definition())
    for path in ("/pipelines", "/pipelines/operators", "/runs", "/workers", "/pipelines/runtime/status", "/failures"):
        content = document["paths"][f"/api/v1{path}"]["get"]["responses"]["200"]["content"]
        schema = {**content["application/json"]["schema"], "components": document["components"]}
        Draft202012Validator(schema).validate(http.get(path).json())
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_only_health_and_the_description_are_open(document):
    opened = [
        path for path, one in document["paths"].items() for operation in one.values() if operation.get("security") == []
    ]
    assert sorted(opened) == ["/api/v1/session", "/docs", "/healthz", "/openapi.json", "/readyz"]
    assert document["security"] == [{"token": []}]


def test_the_page_shows_every_route_and_needs_nobody_else(server, document):
    answer = httpx.get(f"{server.url}/docs")
    assert answer.headers["content-type"].startswith("text/html")
    page = answer.text
    assert "<script" not in page
    assert re.findall(r"""(?:src|href)=["'](?!#)""", page) == []
    assert "//" not in re.sub(r"<p>.*?</p>", "", page, flags=re.DOTALL)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for path in document["paths"]:
        assert f"<code>{path}</code>" in page
    for name in document["components"]["schemas"]:
        assert f'id="{name}"' in page


def test_it_names_all_that_is_open(document):
    about = document["info"]["description"]
    assert all(f"`{path}`" in about for path in OPEN_PATHS)
