"""An example of a node for each operator, found in the operator's description."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from loom.graph.specs import OperatorSpec

_INLINE = re.compile(r"`(\{[^`]*\})`")
_BLOCK = re.compile(r"(?:^    .*\n?|^\n(?=    ))+", re.MULTILINE)


def example(spec: OperatorSpec) -> dict[str, Any]:
    """A node as definitions have it: the first that the description shows, as a whole or by its config alone, as
    `{size: 256}` or as indented YAML; where it shows none, the operator with its defaults."""
    found = next((node for text in _pieces(spec.description) if (node := _read(spec, text)) is not None), {})
    return {"id": spec.id.rpartition(".")[2], "operator": spec.id, **found}


def written(node: dict[str, Any]) -> list[str]:
    """The node as lines of YAML."""
    return yaml.safe_dump([node], sort_keys=False, allow_unicode=True, width=100, default_flow_style=None).splitlines()


def _pieces(description: str) -> Iterator[str]:
    found = [*_INLINE.finditer(description), *_BLOCK.finditer(description)]
    for match in sorted(found, key=re.Match.start):
        yield textwrap.dedent(match.group(1) if match.re is _INLINE else match.group())


def _read(spec: OperatorSpec, text: str) -> dict[str, Any] | None:
    """The node, or the part of one, that a text shows; None when it is something else."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return None
    if value.get("operator") == spec.id:
        return value
    options = spec.config_schema.get("properties", {})
    return {"config": value} if value and value.keys() <= options.keys() else None
