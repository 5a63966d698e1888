"""A few operators of the tests' own, and short ways to write definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from loom.graph.compiler import Compiled, compile_definition
from loom.graph.specs import ConfigProblem, OperatorSpec, Port
from loom.model import Kind

Document = dict[str, Any]


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    enabled: bool = True


class Corner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    x: int = 0
    y: float = 0.5


class ThumbnailOptions(Options):
    size: int = 512
    format: str = "webp"
    crop: Corner | None = None


class KindsOptions(Options):
    kinds: list[str] = []


class OwnOperators:
    """Operators with pydantic models, as the real catalogue has them."""

    models: Mapping[str, type[Options]] = {"media.thumbnail": ThumbnailOptions, "filter.media": KindsOptions}
    versions: dict[str, str]

    def __init__(self) -> None:
        self.versions = {}
        self._made: dict[tuple[str, str], OperatorSpec] = {}
        self._specs = {
            "source.files": {"capabilities": frozenset({"source"})},
            "source.list": {"capabilities": frozenset({"source"})},
            "hash.sha256": {"reads": (), "verdicts": False},
            "media.metadata": {"reads": (), "verdicts": False},
            "media.thumbnail": {"reads": (), "verdicts": False, "kinds": frozenset({Kind.IMAGE})},
            "filter.media": {"reads": (), "verdicts": True},
            "filter.expression": {"verdicts": True},
            "text.summary": {"reads": ("metadata", "transcript"), "needs": ("metadata",), "verdicts": False},
            "sink.web": {"reads": (), "verdicts": False, "capabilities": frozenset({"effect", "network"})},
            "join.two": {"reads": (), "inputs": (Port(id="in"), Port(id="other"))},
            "audio.only": {"reads": (), "inputs": (Port(id="in", content_type="sound/*"),)},
            "broken.check": {"reads": ()},
        }

    def ids(self) -> list[str]:
        return sorted(self._specs)

    def spec(self, operator: str) -> OperatorSpec | None:
        if operator not in self._specs:
            return None
        version = self.versions.get(operator, "1")
        if (operator, version) not in self._made:
            fields: Any = self._specs[operator]
            schema = self.models.get(operator, Options).model_json_schema()
            self._made[operator, version] = OperatorSpec(id=operator, version=version, config_schema=schema, **fields)
        return self._made[operator, version]

    def normalise(self, operator: str, config: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[ConfigProblem, ...]]:
        if operator == "broken.check":
            raise RuntimeError("a defect of somebody's operator")
        try:
            return self.models.get(operator, Options).model_validate(dict(config)).model_dump(mode="json"), ()
        except ValidationError as error:
            details = error.errors()
            return {}, tuple(ConfigProblem(".".join(map(str, d["loc"])), d["msg"]) for d in details)


@pytest.fixture
def operators() -> OwnOperators:
    return OwnOperators()


@pytest.fixture
def compiled(operators: OwnOperators) -> Callable[..., Compiled]:
    def compile_it(document: Any, **options: Any) -> Compiled:
        return compile_definition(document, operators, **options)

    return compile_it


@pytest.fixture
def make() -> Callable[..., Document]:
    """Writes a definition: nodes as id and operator (or a dict of fields), edges as `a>b` or `a>PASS>b`."""

    def definition(nodes: Mapping[str, Any], edges: str, **fields: Any) -> Document:
        written = []
        for id_, operator in nodes.items():
            written.append({"id": id_, **(operator if isinstance(operator, dict) else {"operator": operator})})
        return {"name": "test", "graph": {"nodes": written, "edges": [edge(text) for text in edges.split()]}, **fields}

    def edge(text: str) -> Document:
        source, *branch, target = text.split(">")
        label = {"branch": branch[0]} if branch else {}
        return {"from": {"node": source}, "to": {"node": target}, **label}

    return definition
