"""What is missing on this machine, and what a definition is told of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cortex.catalogue import load
from cortex.requirements import demand, sentence
from loom.errors import LoomError
from loom.graph.compiler import compile_definition
from loom.graph.specs import Requirement


@pytest.mark.parametrize(
    ("requirement", "said"),
    [
        (Requirement(kind="package", name="no_such", extra="vision"), "pip install 'loom-cortex[vision]'"),
        (Requirement(kind="package", name="no_such", install="pip install such"), "no_such is not installed: pip"),
        (Requirement(kind="program", name="no-such"), "the program no-such is not installed"),
        (Requirement(kind="model", name="/no/such", install="apt-get install such"), "no file /no/such: apt-get"),
    ],
)
def test_what_is_missing_is_said_with_what_to_type(requirement: Requirement, said: str) -> None:
    assert said in sentence(requirement)
    with pytest.raises(LoomError) as caught:
        demand([Requirement(kind="package", name="json"), requirement])
    assert (caught.value.code, caught.value.message) == ("REQUIREMENT_MISSING", sentence(requirement))


def test_what_only_some_assets_need_is_not_demanded() -> None:
    demand([Requirement(kind="package", name="no_such", optional=True)])


def embedding(path: Path) -> dict[str, Any]:
    node = {"id": "see", "operator": "vision.embedding", "config": {"model": {"path": str(path), "sha256": "0" * 64}}}
    edges = [{"from": {"node": "files"}, "to": {"node": "see"}}]
    return {"name": "see", "graph": {"nodes": [{"id": "files", "operator": "source.filesystem"}, node], "edges": edges}}


def test_a_model_that_the_config_names_is_looked_for(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="pip install 'loom-cortex[vision]'")
    model = tmp_path / "model.onnx"
    here = compile_definition(embedding(model), load(), lacking="error")
    assert [(one.code, one.node) for one in here.diagnostics] == [("REQUIREMENT_MISSING", "see")]
    assert str(model) in here.diagnostics[0].message
    elsewhere = compile_definition(embedding(model), load())
    assert elsewhere.plan is not None
    assert [one.level for one in elsewhere.diagnostics] == ["warning"]
    model.write_bytes(b"")
    assert compile_definition(embedding(model), load(), lacking="error").diagnostics == ()
