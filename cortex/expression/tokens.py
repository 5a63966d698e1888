"""Cuts an expression into words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from cortex.expression.tree import MAX_LENGTH, ExpressionError

_UNITS: dict[str, float] = {
    "B": 1, "kB": 2**10, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
    "ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400,
}  # fmt: skip

_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9_-]*"
_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<number>-?\d{{1,18}}(?:\.\d{{1,18}})?(?:[eE][+-]?\d{{1,2}})?)(?P<unit>[A-Za-z]*)(?![\w.-])
    | (?P<name>{_SEGMENT}(?:\.{_SEGMENT})*)(?!\.)
    | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<sign>==|!=|<=|>=|[<>()\[\],])
    )""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", '"': '"', "'": "'"}


class Token(NamedTuple):
    """One word. `kind` is `value`, `name`, `sign` or `end`; `value` is the literal's value, the text of others."""

    kind: str
    value: Any
    position: int


def tokens(text: str) -> Iterator[Token]:
    """The words of an expression and an `end`. Raises `ExpressionError`."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression is longer than {MAX_LENGTH} characters", MAX_LENGTH)
    end = len(text.rstrip())
    position = 0
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unexpected(text, position)
        position = match.end()
        yield _token(match)
    yield Token("end", "the end", end)


def _token(match: re.Match[str]) -> Token:
    kind = "number" if match["number"] is not None else str(match.lastgroup)
    start = match.start(kind)
    if kind == "number":
        return Token("value", _number(match["number"], match["unit"], start), start)
    if kind == "string":
        return Token("value", _string(match["string"][1:-1], start + 1), start)
    return Token(kind, match[kind], start)


def _number(digits: str, unit: str, position: int) -> int | float:
    value = float(digits) if any(sign in digits for sign in ".eE") else int(digits)
    if not unit:
        return value
    if unit not in _UNITS:
        raise ExpressionError(f"there is no unit {unit!r}; use one of {', '.join(_UNITS)}", position)
    return value * _UNITS[unit]


def _string(body: str, position: int) -> str:
    def replace(match: re.Match[str]) -> str:
        if match[1] not in _ESCAPES:
            raise ExpressionError(f"\\{match[1]} means nothing in a string", position + match.start())
        return _ESCAPES[match[1]]

    return _ESCAPE.sub(replace, body)


def _unexpected(text: str, position: int) -> ExpressionError:
    position += len(text[position:]) - len(text[position:].lstrip())
    character = text[position]
    if character in "\"'":
        return ExpressionError("the string does not end", position)
    if character == "=":
        return ExpressionError("write == to compare", position)
    return ExpressionError(f"{character!r} is not expected here", position)
