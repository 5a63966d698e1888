"""Writes a definition as TOML 1.0. Free objects (a node's config, an editor's layout) become inline tables, so that
the order of their keys stays as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from loom.graph.codes import error
from loom.graph.diagnostics import DefinitionError

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def toml_text(document: Mapping[str, Any]) -> str:
    """TOML for a plain document. Raises `DEFINITION_INVALID` when a value is null, which TOML cannot say."""
    lines = [_pair(key, value, key) for key, value in document.items() if not isinstance(value, dict)]
    for key, value in document.items():
        if key == "graph":
            lines.extend(_graph(value))
        elif isinstance(value, dict):
            lines.extend(_table(f"[{_key(key)}]", value, key))
    return "\n".join(lines) + "\n"


def _graph(graph: Mapping[str, Any]) -> list[str]:
    """`[[graph.nodes]]` and `[[graph.edges]]` once for each, then the free objects."""
    empty = {key: value for key, value in graph.items() if value == []}
    lines = _table("[graph]", empty, "graph") if empty else []
    for key, value in graph.items():
        if isinstance(value, dict):
            lines.extend(_table(f"[graph.{_key(key)}]", value, f"graph.{key}"))
        else:
            for index, row in enumerate(value):
                lines.extend(_table(f"[[graph.{_key(key)}]]", row, f"graph.{key}.{index}"))
    return lines


def _table(header: str, table: Mapping[str, Any], path: str) -> list[str]:
    return ["", header, *(_pair(key, value, f"{path}.{key}") for key, value in table.items())]


def _pair(key: str, value: Any, path: str) -> str:
    return f"{_key(key)} = {_value(value, path)}"


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _text(key)


def _value(value: Any, path: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, dict):
        pairs = (f"{_key(key)} = {_value(part, f'{path}.{key}')}" for key, part in value.items())
        return "{ " + ", ".join(pairs) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(_value(part, f"{path}.{index}") for index, part in enumerate(value)) + "]"
    raise DefinitionError([error("NOT_PLAIN", f"{path} is null, which TOML cannot express", field=path)])


def _text(text: str) -> str:
    """A basic string: the escapes of JSON, and one for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
