"""Values of earlier nodes, as options name them: `node.key` or `node.key.subkey`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator

from cortex.node import NodeContext

_REFERENCE = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[A-Za-z0-9_][A-Za-z0-9_-]*)+", re.ASCII)


def is_value_name(text: str) -> bool:
    return _REFERENCE.fullmatch(text) is not None


def _checked(text: str) -> str:
    if not is_value_name(text):
        raise ValueError(f"{text!r} is not the value of a node: write node.key, such as metadata.width")
    return text


ValueName = Annotated[str, AfterValidator(_checked)]
"""`node.key` or `node.key.subkey`."""


def nodes_of(names: Iterable[str]) -> tuple[str, ...]:
    """The ids of the nodes that give these values, for `MediaNode.named_nodes`."""
    return tuple(sorted({name.partition(".")[0] for name in names}))


def value_of(ctx: NodeContext, name: str) -> Any:
    """The value, None where there is none."""
    node, key, *path = name.split(".")
    value = ctx.upstream_output(node, key)
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def number_of(value: Any) -> float | None:
    """The value as a number; None where it is none."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def texts_of(value: Any) -> list[str]:
    """A text, or the texts of a list; empty where there are none."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
