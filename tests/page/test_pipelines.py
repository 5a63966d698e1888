"""A pipeline looked at, switched off, broken and corrected, and put back."""

from __future__ import annotations

import itertools
import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from browser import Browser
from programs import Server

_numbers = itertools.count(1)
_DEFINITION: dict[str, Any] = {
    "description": "Only for this test",
    "graph": {
        "nodes": [
            {"id": "files", "operator": "source.filesystem"},
            {"id": "sha256", "operator": "hash.sha256"},
            {"id": "small", "operator": "media.thumbnail", "config": {"size": 64}},
        ],
        "edges": [
            {"from": {"node": "files"}, "to": {"node": "sha256"}},
            {"from": {"node": "sha256"}, "to": {"node": "small"}},
        ],
    },
}


@pytest.fixture
def trial(server: Server) -> Iterator[dict[str, Any]]:
    """A pipeline of this test's own, as it was saved."""
    headers = {"Authorization": f"Bearer {server.token}"}
    name = f"trial-{next(_numbers)}"
    body = json.dumps({**_DEFINITION, "name": name}).encode()
    request = urllib.request.Request(f"{server.url}/api/v1/pipelines", body, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        yield json.load(answer)
    gone = urllib.request.Request(f"{server.url}/api/v1/pipelines/{name}", headers=headers, method="DELETE")
    urllib.request.urlopen(gone, timeout=10).close()


def _replace(page: Browser, before: str, after: str) -> None:
    """Changes the text as typing does."""
    page.run(
        "const area = document.querySelector('.editor-text');"
        "const at = area.value.indexOf(arguments[0]);"
        "if (at < 0) throw new Error(area.value);"
        "area.focus(); area.setSelectionRange(at, at + arguments[0].length);"
        "document.execCommand('insertText', false, arguments[1]);",
        before,
        after,
    )


def _line_of(page: Browser, text: str) -> int:
    value: str = page.run("return document.querySelector('.editor-text').value")
    return next(number for number, line in enumerate(value.split("\n"), 1) if text in line)


def test_a_broken_definition_is_corrected_line_by_line(page: Browser, server: Server, trial: dict[str, Any]) -> None:
    page.open(f"/pipelines/{trial['name']}")
    page.one(".verdict.good", "Fine")
    _replace(page, '"size": 64', '"size": "huge"')
    page.one(".editor-remarks .error", f"line {_line_of(page, 'huge')}")
    page.one(f".editor-numbers .error[data-line='{_line_of(page, 'huge')}']")
    assert not page.one(".definition .primary").is_enabled()
    _replace(page, '"size": "huge"}', '"size": 128')
    page.one(".editor-remarks .error", "is expected here")
    _replace(page, '"size": 128', '"size": 128}')
    page.one(".verdict.good", "not saved yet")
    page.one(".definition .primary:enabled").click()
    page.one(".toast", "Saved as version 2.")
    assert server.get(f"/pipelines/{trial['name']}")["definition"]["graph"]["nodes"][2]["config"] == {"size": 128}
    page.press("Versions")
    page.one(".diff .came")
    assert '"size": 128' in page.text(".diff .came")
    assert '"size": 64' in page.text(".diff .went")
    page.press("Restore")
    page.one("dialog h2", "Restore version 1?")
    page.press("Restore", within="dialog")
    page.one(".under", "version 3")
    assert server.get(f"/pipelines/{trial['name']}")["definition"]["graph"]["nodes"][2]["config"] == {"size": 64}


def test_the_graph_follows_what_is_typed(page: Browser, trial: dict[str, Any]) -> None:
    page.open(f"/pipelines/{trial['name']}")
    page.one("[data-node=small] .name")
    _replace(page, '"id": "small"', '"id": "tiny"')
    page.one("[data-node=tiny] .name", "tiny")
    page.one(".editor-remarks .error", "small")


def test_an_edge_is_called_by_the_port_that_it_leaves(page: Browser, trial: dict[str, Any]) -> None:
    page.open(f"/pipelines/{trial['name']}")
    page.one("[data-node=small] .name")
    buckets = '{"buckets": [{"name": "light", "when": "media.size < 1MB"}]}'
    _replace(page, '"operator": "hash.sha256"', f'"operator": "filter.expression", "config": {buckets}')
    _replace(page, '"from": {"node": "sha256"}', '"from": {"node": "sha256", "port": "light"}')
    page.one(".edge-branch", "light")
    page.one(".verdict.good", "not saved yet")


def test_a_switch_makes_a_version(page: Browser, server: Server, trial: dict[str, Any]) -> None:
    page.open("/pipelines")
    page.one(f"article[aria-label='Pipeline {trial['name']}'] [role=switch]").click()
    page.one(".toast", "is off")
    page.one(f"article[aria-label='Pipeline {trial['name']}'].is-off")
    stored = server.get(f"/pipelines/{trial['name']}")
    assert (stored["enabled"], stored["version"]) == (False, 2)


def test_a_save_over_anothers_change_is_refused(page: Browser, trial: dict[str, Any], server: Server) -> None:
    page.open(f"/pipelines/{trial['name']}")
    page.one(".verdict.good")
    changed = json.dumps({**trial["definition"], "description": "Changed elsewhere"}).encode()
    request = urllib.request.Request(
        f"{server.url}/api/v1/pipelines/{trial['name']}",
        changed,
        {"Authorization": f"Bearer {server.token}"},
        method="PUT",
    )
    urllib.request.urlopen(request, timeout=10).close()
    _replace(page, "Only for this test", "Changed here")
    page.one(".verdict.good", "not saved yet")
    page.one(".definition .primary:enabled").click()
    page.one(".toast.bad", "Someone else changed it in the meantime.")
    assert server.get(f"/pipelines/{trial['name']}")["description"] == "Changed elsewhere"
    assert [one for one in page.complaints() if "412" not in one] == []


def test_a_new_pipeline_is_written_and_saved(page: Browser, server: Server) -> None:
    page.open("/pipelines")
    page.press("New pipeline")
    page.one("h1", "New pipeline")
    _replace(page, "my-pipeline", "written-here")
    page.one(".verdict.good", "not saved yet")
    page.one(".definition .primary:enabled").click()
    page.one("h1", "written-here")
    assert page.path == "/pipelines/written-here"
    assert server.get("/pipelines/written-here")["version"] == 1
