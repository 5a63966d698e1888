"""What pydantic finds wrong with a document, told in the words of definitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from loom.graph.codes import error, shortened
from loom.graph.diagnostics import Diagnostic

SLUG_RULE = "lowercase letters, digits, hyphens and underscores, at most 64, the first a letter or digit"
MAX_NODE_NAME = 200
"""Longer ids are not repeated in reports."""

_CODES = {"missing": "FIELD_MISSING", "extra_forbidden": "FIELD_UNKNOWN"}


def shape_problems(
    invalid: ValidationError, document: dict[str, Any], hidden: tuple[str, ...] = ()
) -> list[Diagnostic]:
    """One diagnostic for each thing that pydantic found. Fields of a node are named from the node on, those of an edge
    from the edge on, others from the top, where `hidden` is left out in front."""
    return [_problem(detail, document, hidden) for detail in invalid.errors(include_url=False, include_input=False)]


def _problem(detail: ErrorDetails, document: dict[str, Any], hidden: tuple[str, ...]) -> Diagnostic:
    where = detail["loc"]
    code, message = _said(detail)
    if where[:2] == ("graph", "edges") and len(where) > 2 and isinstance(where[2], int):
        return error(code, message, edge=where[2], field=_dotted(where[3:]))
    if where[:2] == ("graph", "nodes") and len(where) > 2 and isinstance(where[2], int):
        node = node_name(document["graph"]["nodes"][where[2]])
        if node is not None:
            return error(code, message, node=node, field=_dotted(where[3:]))
    if where[: len(hidden)] == hidden:
        where = where[len(hidden) :]
    return error(code, message, field=_dotted(where))


def _said(detail: ErrorDetails) -> tuple[str, str]:
    where, kind = detail["loc"], detail["type"]
    if kind in _CODES:
        sentence = "this field is missing" if kind == "missing" else "there is no such field"
        return _CODES[kind], sentence
    if kind == "too_long" and where in (("graph", "nodes"), ("graph", "edges")):
        return "TOO_LARGE", f"a graph has at most {detail['ctx']['max_length']:,} {where[1]}"
    if where == ("name",):
        return "NAME_INVALID", f"a name is made of {SLUG_RULE}"
    if len(where) == 4 and where[1] == "nodes" and where[3] == "id":
        return "ID_INVALID", f"an id is made of {SLUG_RULE}"
    if kind == "value_error":
        return "FIELD_INVALID", str(detail["ctx"]["error"])
    return "FIELD_INVALID", detail["msg"][:1].lower() + detail["msg"][1:]


def node_name(node: object) -> str | None:
    """The id by which a report can call a node, well formed or not; None when it has none that could be said."""
    name = node.get("id") if isinstance(node, dict) else None
    return name if isinstance(name, str) and 0 < len(name) <= MAX_NODE_NAME else None


def _dotted(where: Sequence[int | str]) -> str | None:
    return ".".join(shortened(str(part)) for part in where) or None
