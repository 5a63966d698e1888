"""Values of other nodes that a config names, found by what the operator's schema says of its options.

A text of the format `node-value` is `node.key`, one of the format `node-expression` holds such between other words, as
`filter.expression` has them, and one of the format `node-template` in braces. One of the format `node-artifact` is a
derived file of a node, `node.name`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

FORMATS = ("node-value", "node-expression", "node-template", "node-artifact")

_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9_-]*"
_NAME = re.compile(rf"{_SEGMENT}(\.{_SEGMENT})+", re.ASCII)
# Texts and numbers, which are passed over, and names.
_WORDS = re.compile(
    rf"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[A-Za-z]*(?![\w.-])|({_SEGMENT}(?:\.{_SEGMENT})*)",
    re.DOTALL | re.ASCII,
)
_BRACES = re.compile(rf"(?<!{{){{({_SEGMENT}(?:\.{_SEGMENT})+)[:}}]", re.ASCII)

_FACTS = "media"
"""Stands in expressions in place of a node, for what is known of the file."""

_MOST_PARTS = 20_000
_DEEPEST = 100


class NamedValue(NamedTuple):
    """A value that a node names. `field` is where in the config. `among`: the list in which it stands with others,
    empty for one that stands alone. `is_artifact`: it is a derived file, `key` its name."""

    node: str
    key: str
    field: str
    among: str = ""
    is_artifact: bool = False


def names_values(schema: Any) -> bool:
    """Whether an operator with this schema of its config can name values at all."""
    return any(f"'{name}'" in repr(schema) for name in FORMATS)


def named_values(schema: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[NamedValue, ...]:
    """The values that a normalised config names, each once for a field, in the order of the config."""
    walk = _Walk(schema)
    return tuple(dict.fromkeys(walk.found(config, schema, "", "", 0)))


def split(name: str, field: str = "", among: str = "") -> NamedValue:
    """`node.key` or `node.key.subkey` as a value."""
    node, _, path = name.partition(".")
    return NamedValue(node, path.partition(".")[0], field, among)


class _Walk:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._left = _MOST_PARTS

    def found(self, value: Any, schema: Any, field: str, among: str, depth: int) -> Iterator[NamedValue]:
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST or not isinstance(schema, Mapping):
            return
        if isinstance(value, str):
            yield from _in_text(value, schema.get("format"), field, among)
        elif isinstance(value, list):
            for index, one in enumerate(value):
                yield from self.found(one, schema.get("items"), f"{field}.{index}".lstrip("."), field, depth + 1)
        elif isinstance(value, Mapping):
            yield from self._in_object(value, schema, field, depth + 1)
        for other in self._others(schema):
            yield from self.found(value, other, field, among, depth + 1)

    def _in_object(self, value: Mapping[str, Any], schema: Mapping[str, Any], field: str, depth: int) -> Any:
        properties, rest = schema.get("properties", {}), schema.get("additionalProperties")
        patterns = schema.get("patternProperties", {})
        for key, one in value.items():
            where = f"{field}.{key}".lstrip(".")
            if isinstance(schema.get("propertyNames"), Mapping):
                yield from self.found(key, schema["propertyNames"], where, "", depth)
            if isinstance(properties, Mapping) and key in properties:
                yield from self.found(one, properties[key], where, "", depth)
                continue
            for part in (rest, *(patterns.values() if isinstance(patterns, Mapping) else ())):
                yield from self.found(one, part, where, "", depth)

    def _others(self, schema: Mapping[str, Any]) -> Iterator[Any]:
        """What else holds for the same value."""
        name = schema.get("$ref")
        if isinstance(name, str) and name.startswith("#/$defs/"):
            yield self._root.get("$defs", {}).get(name.removeprefix("#/$defs/"))
        for word in ("anyOf", "oneOf", "allOf"):
            parts = schema.get(word, ())
            yield from parts if isinstance(parts, list) else ()


def _in_text(text: str, format: object, field: str, among: str) -> Iterator[NamedValue]:  # noqa: A002
    if format != "node-artifact":
        yield from (split(name, field, among) for name in _names(text, format))
        return
    node, _, name = text.partition(".")
    if node and name:
        yield NamedValue(node, name, field, among, is_artifact=True)


def _names(text: str, format: object) -> Iterator[str]:  # noqa: A002
    if format == "node-value" and _NAME.fullmatch(text):
        yield text
    elif format == "node-template":
        yield from _BRACES.findall(text)
    elif format == "node-expression":
        words = (match[1] or "" for match in _WORDS.finditer(text))
        yield from (word for word in words if _NAME.fullmatch(word) and not word.startswith(f"{_FACTS}."))
