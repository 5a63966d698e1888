"""Options, as JSON Schema tells them, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BOUNDS = (
    ("minimum", "at least {}"),
    ("exclusiveMinimum", "more than {}"),
    ("maximum", "at most {}"),
    ("exclusiveMaximum", "less than {}"),
    ("minLength", "at least {} long"),
    ("maxLength", "at most {} long"),
    ("minItems", "at least {} of them"),
    ("maxItems", "at most {} of them"),
    ("minProperties", "at least {} of them"),
    ("maxProperties", "at most {} of them"),
)
_TYPES = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "mapping", "null": "null"}
_FORMATS = {"node-value": "a value as node.key", "node-expression": "an expression", "node-template": "a template"}


def field_shown(field: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    """Type, bounds and default of an option."""
    default = _value(field["default"]) if "default" in field else None
    return f"{_what(field, defs)}; {'required' if default is None else f'default {default}'}"


def _what(field: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return _what(defs[field["$ref"].rpartition("/")[2]], defs)
    if "anyOf" in field:
        return " or ".join(_what(one, defs) for one in field["anyOf"])
    if "enum" in field:
        return " | ".join(map(_value, field["enum"]))
    if "const" in field:
        return _value(field["const"])
    return ", ".join([_kind(field, defs), *_bounds(field)])


def _kind(field: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    if field.get("type") == "array":
        items: Mapping[str, Any] = field.get("items") or next(iter(field.get("prefixItems", [])), {})
        return f"list ({_what(items, defs)})"
    if field.get("type") == "object" and (keys := field.get("properties")):
        return f"mapping ({', '.join(keys)})"
    return _FORMATS.get(field.get("format", "")) or _TYPES.get(field.get("type", ""), field.get("type", "anything"))


def _bounds(field: Mapping[str, Any]) -> list[str]:
    if {"minimum", "maximum"} <= field.keys():
        rest = {name: value for name, value in field.items() if name not in ("minimum", "maximum")}
        return [f"{field['minimum']} to {field['maximum']}", *_bounds(rest)]
    if "minItems" in field and field["minItems"] == field.get("maxItems"):
        return [f"{field['minItems']} of them"]
    return [words.format(field[name]) for name, words in _BOUNDS if name in field]


def _value(value: Any) -> str:
    import json

    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
