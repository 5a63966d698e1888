"""Definitions as text: JSON, YAML and TOML in and out, as plain values."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from loom.errors import LoomError
from loom.graph.codes import error, said
from loom.graph.diagnostics import DefinitionError

MAX_TEXT = 8 * 1024 * 1024
"""The longest text, in bytes of UTF-8."""

FORMATS = ("json", "yaml", "toml")
_SUFFIXES = {".json": "json", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml"}


def format_of(file_name: str) -> str:
    """The format that a file name's ending stands for. Raises `USAGE`."""
    for suffix, name in _SUFFIXES.items():
        if file_name.lower().endswith(suffix):
            return name
    raise LoomError("USAGE", f"{file_name}: a definition is a file that ends in {', '.join(_SUFFIXES)}")


def read_text(text: str, format: str) -> Any:  # noqa: A002
    """The plain value that the text stands for; whether it is a definition is not asked. Raises `DEFINITION_INVALID`
    for what cannot be read, `USAGE` for an unknown format."""
    read = _reader(format)
    if len(text.encode("utf-8", "replace")) > MAX_TEXT:
        raise DefinitionError([error("TOO_LARGE", f"a definition has at most {MAX_TEXT // 1024**2} MB of text")])
    try:
        return read(text)
    except RecursionError:
        raise DefinitionError([error("TOO_DEEP", "values are nested too deeply")]) from None
    except ValueError as fault:
        raise DefinitionError([error("NOT_READABLE", f"this is not valid {format.upper()}: {fault}")]) from None


def write_text(document: dict[str, Any], format: str) -> str:  # noqa: A002
    """The text of a plain document. Raises `DEFINITION_INVALID` for a null in TOML, which has none."""
    if format == "json":
        return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if format == "toml":
        from loom.graph.toml_text import toml_text

        return toml_text(document)
    _refuse_unknown(format)
    from loom.graph.yaml_text import write_yaml

    return write_yaml(document)


def _reader(format: str) -> Callable[[str], Any]:  # noqa: A002
    if format == "json":
        return _read_json
    if format == "toml":
        import tomllib

        return tomllib.loads
    _refuse_unknown(format)
    from loom.graph.yaml_text import read_yaml

    return read_yaml


def _refuse_unknown(format: str) -> None:  # noqa: A002
    if format not in FORMATS:
        raise LoomError("USAGE", f"{said(format)} is not a format; there are {', '.join(FORMATS)}")


def _read_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_without_twins, parse_constant=_no_constant)


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {said(key)} is there twice")
        found[key] = value
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number of JSON")
