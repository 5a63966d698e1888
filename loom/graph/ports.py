"""Ports and what may go through them: content types, and the buckets that a config makes ports of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from loom.graph.specs import OperatorSpec, Port

CONTENT_TYPE = re.compile(r"\*|[a-z0-9][a-z0-9_-]*/(\*|[a-z0-9][a-z0-9.+_-]*)")
"""The form of a content type: a family and a type, `*` for the whole family, or `*` alone for anything."""

ASSET = "media"
"""The family of the asset itself."""

ARTIFACT = "artifact"
"""The family of derived files, which are kept beside a result."""

BUCKET = "bucket"
"""The key of an operator's outputs that says into which bucket an asset fell."""

REST = "other"
"""The bucket of what fell into no other, and of what the node was skipped for."""

VERDICTS = "verdicts"
"""The key under which a node that was computed for each item says which verdict each got, null for those that it did
not see; it is there when one got FAIL, and where the node has buckets."""


def find(ports: Iterable[Port], wanted: str) -> Port | None:
    return next((port for port in ports if port.id == wanted), None)


def family(content_type: str) -> str:
    return content_type.partition("/")[0]


def takes_asset(port: Port) -> bool:
    """Whether the input takes the asset itself, which every edge carries along."""
    return family(port.content_type) in (ASSET, "*")


def takes_files(port: Port) -> bool:
    """Whether the input takes derived files."""
    return family(port.content_type) == ARTIFACT


def value_input(spec: OperatorSpec) -> Port | None:
    """The input that takes a value or a derived file, or a list of them; an operator has one at most."""
    return next((port for port in spec.inputs if not takes_asset(port)), None)


def fit(one: str, other: str) -> bool:
    """Content types have something in common: they are equal, or one stands for a family that holds the other."""
    if one == other or "*" in (one, other):
        return True
    kind, other_kind = one.partition("/")[2], other.partition("/")[2]
    return family(one) == family(other) and "*" in (kind, other_kind)


def shown(port: Port) -> str:
    """Id and type of a port, for people."""
    what = f"what comes in at {port.passes}" if port.passes else port.content_type
    parts = [what, *(["many"] if port.cardinality == "many" else [])]
    return f"{port.id} ({', '.join(parts)})"


def buckets(spec: OperatorSpec, config: Mapping[str, Any]) -> tuple[str, ...]:
    """The buckets that a normalised config makes, with that of the rest at the end; empty where it makes none."""
    given = config.get(spec.buckets) if spec.buckets else None
    if not isinstance(given, list) or not given:
        return ()
    names = (one.get("name") for one in given if isinstance(one, dict))
    return (*dict.fromkeys(name for name in names if isinstance(name, str)), REST)


def with_buckets(spec: OperatorSpec, config: Mapping[str, Any]) -> OperatorSpec:
    """The spec with an output for each bucket of this config."""
    made = buckets(spec, config)
    if not made:
        return spec
    passes = spec.inputs[0].id if spec.inputs else None
    there = {port.id for port in spec.outputs}
    ports = tuple(Port(id=name, passes=passes, description="a bucket") for name in made if name not in there)
    return msgspec.structs.replace(spec, outputs=spec.outputs + ports)
