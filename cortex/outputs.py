"""What an output of a node may be: JSON that every program reads as it was given."""

from __future__ import annotations

import math

import msgspec

from loom.errors import LoomError

MAX_OUTPUT = 64 * 1024
"""The most bytes of JSON that one output value may have; larger things are artifacts."""

MAX_DEPTH = 99
"""How deeply one output value may be nested: the outputs of a node, one level more, go through others as JSON."""

MAX_INTEGER = 2**53 - 1
"""Integers beyond are read as others by programs whose numbers are all floating point, such as a browser (RFC 7493,
section 2.2)."""


def check(name: str, value: object) -> None:
    """Raises `OUTPUT_INVALID` for a value that would be stored as another, is too large or nested too deeply."""
    if value is None or value is True or value is False:
        return
    kind = type(value)
    if kind is int or kind is float:  # of all that is given the most, and quickly told
        fault = _scalar_fault(value)
    else:
        _check_size(name, value)
        fault = None if kind is str else _fault(value)
    if fault is not None:
        raise LoomError("OUTPUT_INVALID", f"output {name!r} {fault}")


def check_name(name: object) -> None:
    """Raises `OUTPUT_INVALID` for what cannot be the name of a derived file."""
    try:
        usable = isinstance(name, str) and "\0" not in name and bool(name.encode())
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise LoomError("OUTPUT_INVALID", f"a derived file cannot be called {name!r}")


_TOO_DEEP = f"is nested more than {MAX_DEPTH} deep"


def _check_size(name: str, value: object) -> None:
    try:
        size = len(msgspec.json.encode(value))
    except RecursionError:
        raise LoomError("OUTPUT_INVALID", f"output {name!r} {_TOO_DEEP}") from None
    except (TypeError, ValueError) as error:
        raise LoomError("OUTPUT_INVALID", f"output {name!r} is not JSON: {error}") from error
    if size > MAX_OUTPUT:
        raise LoomError("OUTPUT_INVALID", f"output {name!r} has {size} bytes of JSON, more than {MAX_OUTPUT}")


def _fault(value: object) -> str | None:
    """What keeps a value from being plain JSON, as the end of a sentence."""
    level, depth = [value], 0
    while level:
        inner: list[object] = []
        for one in level:
            if not isinstance(one, (dict, list, tuple)):
                if (fault := _scalar_fault(one)) is not None:
                    return fault
            elif depth == MAX_DEPTH:
                return _TOO_DEEP
            elif not isinstance(one, dict):
                inner.extend(one)
            elif all(isinstance(key, str) for key in one):
                inner.extend(one.values())
            else:
                return "has a key that is not a text"
        level, depth = inner, depth + 1
    return None


def _scalar_fault(value: object) -> str | None:
    if isinstance(value, int):
        if -MAX_INTEGER <= value <= MAX_INTEGER:
            return None
        return "holds an integer of more than 53 bits, which not every program reads as it is; give it as a text"
    if isinstance(value, float):
        return None if math.isfinite(value) else "holds NaN or an infinity, which are not JSON"
    if value is None or isinstance(value, str):
        return None
    return f"holds a value of the type {type(value).__name__}, which is not JSON"
