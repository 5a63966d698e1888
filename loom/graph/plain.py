"""What all three formats can carry: the values a definition may be made of."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from loom.graph.codes import error, shortened
from loom.graph.diagnostics import Diagnostic

MAX_DEPTH = 64
MAX_VALUES = 1_000_000
"""How many values a definition may have, those that YAML aliases repeat counted each time."""

_MAX_PROBLEMS = 100


def plain_problems(document: object) -> list[Diagnostic]:
    """What keeps a value from being written in every format. Walks without recursion, and stops after a million
    values, a hundred problems or at a depth of 64."""
    found: list[Diagnostic] = []
    stack: list[tuple[object, int, Any]] = [(document, 0, ())]
    count = 0
    while stack and len(found) < _MAX_PROBLEMS:
        value, depth, path = stack.pop()
        count += 1
        if count > MAX_VALUES:
            return [*found, error("TOO_LARGE", f"a definition has at most {MAX_VALUES:,} values")]
        if isinstance(value, (dict, list)) and value and depth == MAX_DEPTH:
            return [*found, error("TOO_DEEP", f"values are nested more than {MAX_DEPTH} deep", field=_field(path))]
        if isinstance(value, dict):
            found.extend(_bad_key(key, path) for key in value if not isinstance(key, str) or _text_fault(key))
            stack.extend((part, depth + 1, (path, str(key))) for key, part in value.items())
        elif isinstance(value, list):
            stack.extend((part, depth + 1, (path, str(index))) for index, part in enumerate(value))
        elif fault := _fault(value):
            found.append(error("NOT_PLAIN", fault, field=_field(path)))
    return found


def _fault(value: object) -> str | None:
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        return _text_fault(value)
    if isinstance(value, int):
        return None if -(2**63) <= value < 2**63 else "whole numbers have at most 64 bits"
    if isinstance(value, float):
        return None if math.isfinite(value) else "numbers are finite"
    return f"a {type(value).__name__} is not plain data; write it as text in quotes"


def _text_fault(text: str) -> str | None:
    if "\0" in text:
        return "texts have no NUL characters"
    if text.isascii():
        return None
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "texts have no half characters (surrogates)"
    return None


def _bad_key(key: object, path: Any) -> Diagnostic:
    return error("NOT_PLAIN", "keys are texts without NUL and half characters", field=_field((path, str(key))))


def _field(path: Any) -> str:
    return ".".join(shortened(part) for part in _parts(path))


def _parts(path: Any) -> Iterator[str]:
    parts: list[str] = []
    while path:
        path, part = path
        parts.append(part)
    return reversed(parts)
