"""What nobody reads in a request is refused, since it was meant to change the answer."""

from typing import Any

import pytest
from ledgers import definition


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/assets?unknown=1", "'unknown'"),
        ("/assets?kinds=image", "'kind' is one"),
        ("/failures?set_aside=true", "'set_aside'"),
        ("/runs?limit=1&cursors=x", "'cursor' is one"),
        ("/pipelines/runtime/status?x", "'x'"),
    ],
)
def test_a_parameter_that_is_not_there_is_refused(http: Any, path: str, named: str) -> None:
    if path.endswith("?x"):
        path += "="
    answer = http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID"), answer.text
    assert named in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/assets?kind=image&q=x&limit=5", "/failures?aside=true", "/assets/facets?camera=x"])
def test_parameters_that_are_there_are_taken(http: Any, path: str) -> None:
    assert http.get(path).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/pipelines/photos/runs", {"paths": ["/x"], "dryRun": True}),
        ("/pipelines/photos/runs", {"filter": {"kinds": "image"}}),
        ("/failures/retry", {"nodes": "thumbnail"}),
        ("/failures/forget", {"runs": None}),
        ("/failures/set-aside", {"codes": "FILE_DAMAGED"}),
    ],
)
def test_a_field_that_is_not_there_is_refused(http: Any, loom: Any, path: str, body: dict[str, Any]) -> None:
    loom.save_pipeline(definition())
    answer = http.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID"), answer.text
    assert loom.runs().items == []
