"""What is true of all operators that come with the product."""

from __future__ import annotations

import re
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rawfiles import write_dng
from realmedia import RealMedia

from cortex.catalogue import load
from cortex.cli.describing import codes, described
from cortex.cli.examples import example
from cortex.testing import run_operator
from loom.errors import CODES, LoomError
from loom.graph.compiler import compile_definition
from loom.graph.ports import fit, takes_asset, value_input
from loom.graph.specs import OperatorSpec
from loom.model import Reason, State

ROOT = Path(__file__).parents[3]
IDS = sorted(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["cortex.operators"])
NO_CODES = {
    "HOOK_SECRET",
    "AWS_ACCESS_KEY_ID",
    "AWS_ENDPOINT_URL",
    "CORTEX_PROGRAMS",
    "FSSPEC_FTP_PASSWORD",
    *Reason.__members__,
}
"""Words in capitals that are no codes of errors."""

BEFORE = {
    "metadata": "media.metadata",
    "phash": "image.phash",
    "quality": "image.quality",
    "sha256": "hash.sha256",
    "text": "text.extract",
    "extract": "text.extract",
    "thumbnail": "media.thumbnail",
    "faces": "vision.faces",
}
"""Nodes that examples name."""
TAG = {"id": "tag", "operator": "sink.tag", "config": {"rules": [{"tag": "wide", "when": "metadata.width > 1000"}]}}
MODEL = {"path": "/models/faces.onnx", "sha256": "0" * 64}
WHO = {"id": "face-embedding", "operator": "vision.face-embedding", "config": {"model": MODEL}}


def spec_of(operator: str) -> OperatorSpec:
    spec = load().spec(operator)
    assert spec is not None, load().why_unknown(operator)
    return spec


every = pytest.mark.parametrize("operator", IDS)


@every
def test_each_describes_itself_its_options_and_its_outputs(operator: str) -> None:
    spec = spec_of(operator)
    assert spec.summary.endswith(".")
    assert [name for name, field in spec.config_schema["properties"].items() if not field.get("description")] == []
    assert [value.key for value in spec.values if not value.description] == []
    assert any(line.startswith("example") for line in described(spec, load()))


@every
def test_only_sources_hand_on_nothing_but_the_asset(operator: str) -> None:
    spec = spec_of(operator)
    assert spec.is_source or [port.id for port in spec.outputs if takes_asset(port) and not port.passes] == []


@every
def test_the_codes_that_it_names_exist_and_one_that_names_none_says_that_it_refuses_nothing(operator: str) -> None:
    spec = spec_of(operator)
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", spec.description)) - NO_CODES
    assert named <= CODES.keys()
    assert named or re.search(r"refuses\s+no(thing|\s+file)", spec.description, re.IGNORECASE)


@every
def test_its_example_is_valid_and_compiles_in_a_pipeline(operator: str) -> None:
    spec, node = spec_of(operator), example(spec_of(operator))
    definition = {"schema_version": 1, "name": "example", "graph": _graph(spec, {**node, "id": "example"})}
    found = compile_definition(definition, load())
    assert found.plan is not None, found.diagnostics


def _graph(spec: OperatorSpec, node: dict[str, Any]) -> dict[str, Any]:
    """The node behind all that examples name; a source before it."""
    if spec.is_source:
        nodes = [node, {"id": "sha256", "operator": "hash.sha256"}]
        return {"nodes": nodes, "edges": [_edge("example", "sha256")]}
    before = [{"id": name, "operator": known} for name, known in BEFORE.items()]
    nodes = [{"id": "files", "operator": "source.filesystem"}, *before, TAG, WHO, node]
    edges = [_edge("files", one["id"]) for one in before] + [_edge("metadata", "tag"), _edge("faces", "face-embedding")]
    return {
        "nodes": nodes,
        "edges": edges + [_edge(one["id"], "example") for one in (*before, TAG, WHO) if _fits(one, spec)],
    }


def _edge(one: str, other: str) -> dict[str, Any]:
    return {"from": {"node": one}, "to": {"node": other}}


def _fits(node: dict[str, Any], spec: OperatorSpec) -> bool:
    wanted = value_input(spec)
    return (
        wanted is None
        or not wanted.required
        or any(fit(port.content_type, wanted.content_type) for port in spec_of(node["operator"]).outputs)
    )


@pytest.fixture(scope="module")
def broken(media: RealMedia, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Files of many formats that end early, with zeros in their middle or with nothing behind their first bytes."""
    folder = tmp_path_factory.mktemp("broken")
    with zipfile.ZipFile(folder / "whole.zip", "w") as bag:
        bag.write(media.paper("txt"), "words.txt")
    whole = [folder / "whole.zip", write_dng(folder / "whole.dng", media.picture("chelsea", (320, 240)))]
    whole += [media.photo(), media.variant("webp"), media.images["chelsea"]]
    whole += [media.film("h264"), media.film("mpeg4"), *map(media.sound, ("flac", "m4a", "mp3"))]
    whole += map(media.paper, ("pdf", "docx", "html"))
    made = [folder / "empty"]
    made[0].touch()
    for path in whole:
        data = path.read_bytes()
        third = len(data) // 3
        for how, content in {
            "short": data[:third],
            "holes": data[:third] + bytes(third) + data[2 * third :],
            "stub": data[:40],
        }.items():
            made.append(folder / f"{how}-{path.name}")
            made[-1].write_bytes(content)
    return made


def _sandboxed() -> Iterator[str]:
    """Those that get the bytes of files, and need no value of other nodes nor a model that is no part of a package."""
    for operator in IDS:
        spec = load().spec(operator)
        if spec is None or not spec.sandboxed or _wants_model(spec):
            continue
        wanted = value_input(spec)
        if wanted is None or not wanted.required:
            yield operator


def _wants_model(spec: OperatorSpec) -> bool:
    config, problems = load().normalise(spec.id, example(spec).get("config", {}))
    return bool(problems) or any(one.kind == "model" for one in load().requirements(spec.id, config))


@pytest.mark.parametrize("operator", list(_sandboxed()))
def test_it_refuses_broken_files_only_with_the_codes_that_it_names(
    operator: str, broken: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, node = spec_of(operator), example(spec_of(operator))
    made = load().create(operator, node.get("config", {}), node["id"])
    made.open()
    monkeypatch.setattr(made, "open", lambda: None)
    close = made.close
    monkeypatch.setattr(made, "close", lambda: None)
    refused: dict[str, list[str]] = {}
    states = set()
    for path in broken:
        try:
            states.add(run_operator(made, path).state)
        except LoomError as error:
            refused.setdefault(error.code, []).append(path.name)
    close()
    assert {code: refused[code] for code in refused.keys() - set(codes(spec))} == {}
    if "FILE_DAMAGED" in codes(spec):
        assert refused, "it says that it refuses damaged files"
    else:
        assert State.COMPLETED in states
