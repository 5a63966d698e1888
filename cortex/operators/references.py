"""Values and derived files of earlier nodes, as options name them: `node.key` or `node.key.subkey`, `node.name`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from cortex.node import NodeContext, ProducedArtifact
from cortex.outputs import part_of

_REFERENCE = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[A-Za-z0-9_][A-Za-z0-9_-]*)+", re.ASCII)


def is_value_name(text: str) -> bool:
    return _REFERENCE.fullmatch(text) is not None


def _checked(text: str) -> str:
    if not is_value_name(text):
        raise ValueError(f"{text!r} is not the value of a node: write node.key, such as metadata.width")
    return text


ValueName = Annotated[str, AfterValidator(_checked), Field(json_schema_extra={"format": "node-value"})]
"""`node.key` or `node.key.subkey`. By the format the compiler knows that the node must be there, and give that."""

_ARTIFACT = re.compile(r"[a-z0-9][a-z0-9_-]*\.[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,198}[^\s\x00-\x1f\x7f])?")


def _is_artifact(text: str) -> str:
    if _ARTIFACT.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a derived file of a node: write node.name, such as thumbnail.thumbnail")
    return text


ArtifactName = Annotated[str, AfterValidator(_is_artifact), Field(json_schema_extra={"format": "node-artifact"})]
"""`node.name`: a derived file of a node. By the format the compiler knows that the node must be there."""


def artifact_of(ctx: NodeContext, name: str) -> ProducedArtifact | None:
    """The derived file, None where there is none."""
    node, _, file = name.partition(".")
    return ctx.upstream_artifact(node, file)


def nodes_of(names: Iterable[str]) -> tuple[str, ...]:
    """The ids of the nodes that give these values or files, for `MediaNode.named_nodes`."""
    return tuple(sorted({name.partition(".")[0] for name in names}))


def value_of(ctx: NodeContext, name: str) -> Any:
    """The value, None where there is none."""
    node, key, *path = name.split(".")
    return part_of(ctx.upstream_output(node, key), path)


def number_of(value: Any) -> float | None:
    """The value as a number; None where it is none."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def texts_of(value: Any) -> list[str]:
    """A text, or the texts of a list; empty where there are none."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
