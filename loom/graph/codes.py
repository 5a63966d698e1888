"""Every code a definition's problems may have, and how problems are made."""

from __future__ import annotations

from loom.graph.diagnostics import Diagnostic

_LONGEST = 80

CODES: dict[str, str] = {
    "NOT_READABLE": "The text is not valid JSON, YAML or TOML, or has a key twice.",
    "NOT_PLAIN": "A value cannot be written in JSON, YAML and TOML alike: not a finite number, a whole number of more "
    "than 64 bits, a date, a text with a NUL or half a character, a key that is not text.",
    "TOO_DEEP": "Values are nested too deeply.",
    "TOO_LARGE": "The definition is larger than the limits allow.",
    "FIELD_MISSING": "A required field is missing.",
    "FIELD_UNKNOWN": "There is no such field.",
    "FIELD_INVALID": "A field has a value of the wrong type or out of its range.",
    "NAME_INVALID": "The pipeline's name is not made of lowercase letters, digits, hyphens and underscores.",
    "NAME_RESERVED": "The name is an address of the API and cannot be a pipeline's.",
    "ID_INVALID": "A node's id is not made of lowercase letters, digits, hyphens and underscores.",
    "ID_DUPLICATE": "Two nodes have the same id.",
    "OPERATOR_UNKNOWN": "No operator of that id is known here.",
    "CONFIG_INVALID": "The operator refuses the node's config.",
    "REQUIREMENT_MISSING": "A package, program or model that the node needs is not on this machine.",
    "SOURCE_MISSING": "No node is a source, so there is nothing that assets come from.",
    "SOURCE_MULTIPLE": "More than one node is a source.",
    "SOURCE_OPTION_UNUSED": "The source takes no notice of `enabled`, `filter`, `timeout_s` and `retries` (warning).",
    "EDGE_NODE_UNKNOWN": "An edge names a node that does not exist.",
    "EDGE_DUPLICATE": "The same edge is there twice.",
    "EDGE_INTO_SOURCE": "An edge leads into the source.",
    "EDGE_UNLABELLED": "An edge out of a filter has no label, so that what it rejects goes on too (warning).",
    "EDGE_OPTION_UNUSED": "`maxsize` and `drop_policy` mean something in stream pipelines only (warning).",
    "BRANCH_IMPOSSIBLE": "An edge has a label that its node can never give.",
    "PORT_UNKNOWN": "The operator has no such port.",
    "PORT_MISMATCH": "An edge leads into an input that takes values of a type that nothing behind the edge gives.",
    "CARDINALITY_MISMATCH": "An edge leads from a single value into an input that takes a list.",
    "INPUT_UNCONNECTED": "No edge leads into a required input.",
    "NODE_UNREACHABLE": "No way leads from the source to the node.",
    "CYCLE": "Nodes lead back to themselves.",
    "READ_UNKNOWN": "A config names a node that is not upstream of its own.",
    "VALUE_UNKNOWN": "A config or an operator names a value that the operator of the named node never gives.",
    "VALUE_UNSURE": "A config or an operator names a value, or an input takes a derived file, of a node that not every "
    "asset here has gone through (warning).",
    "NEED_UNMET": "An operator cannot work without the outputs of a node that is not upstream of it.",
}
"""Codes of problems in definitions, with what they mean. They are errors unless they say that they are warnings;
`OPERATOR_UNKNOWN` is a warning where the operator may be known to a worker, `REQUIREMENT_MISSING` where the work may be
done elsewhere, and where some assets go without."""


def error(
    code: str, message: str, *, node: str | None = None, edge: int | None = None, field: str | None = None
) -> Diagnostic:
    return Diagnostic(level="error", code=code, message=message, node=node, edge=edge, field=field)


def warning(
    code: str, message: str, *, node: str | None = None, edge: int | None = None, field: str | None = None
) -> Diagnostic:
    return Diagnostic(level="warning", code=code, message=message, node=node, edge=edge, field=field)


def said(value: object) -> str:
    """Somebody else's text in quotes, cut short, and without characters that cannot be sent on."""
    text = value if isinstance(value, str) else type(value).__name__
    return repr(shortened(text))


def shortened(text: str, most: int = _LONGEST) -> str:
    """At most `most` characters of a text, each of which can be encoded."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return cut.encode("utf-8", "replace").decode("utf-8")
