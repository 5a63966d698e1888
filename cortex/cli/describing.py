"""One operator in full, as lines for people."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cortex.cli.examples import example, written
from cortex.cli.fields import field_shown
from cortex.requirements import missing, sentence
from loom.errors import CODES, LoomError

if TYPE_CHECKING:
    from cortex.catalogue import EntryPointCatalogue
    from loom.graph.specs import OperatorSpec, Port

_CODE = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")


def described(spec: OperatorSpec, catalogue: EntryPointCatalogue) -> Iterator[str]:
    node = example(spec)
    config, problems = catalogue.normalise(spec.id, node.get("config", {}))
    yield f"{spec.id}  version {spec.version}"
    yield from ("", *([spec.description, ""] if spec.description else []))
    yield f"for           {', '.join(sorted(spec.kinds)) or 'every kind of media'}"
    yield f"reads         {_reads(spec, not problems and catalogue.named_nodes(spec.id, config) is not None)}"
    yield f"verdict       { {True: 'PASS or FAIL', False: 'PASS', None: 'unknown'}[spec.verdicts] }"
    yield f"capabilities  {', '.join(sorted(spec.capabilities)) or 'none: it sees only the bytes of the file'}"
    yield from _section("ports", _ports(spec))
    yield from _section("options", _options(spec))
    yield from _section("outputs", _table((value.key, value.type, value.description) for value in spec.values))
    yield from _section("needs", _needs(spec, catalogue, None if problems else config))
    yield from _section("may fail with", _table((code, CODES[code].sentence) for code in codes(spec)))
    yield from _section("example", [] if problems else written(node))


def _reads(spec: OperatorSpec, named: bool) -> str:
    if named:
        return "the nodes that its options name"
    return "all nodes before it" if spec.reads is None else ", ".join(spec.reads) or "nothing of other nodes"


def codes(spec: OperatorSpec) -> list[str]:
    """The error codes that the operator's description names, in order."""
    return [code for code in dict.fromkeys(_CODE.findall(spec.description)) if code in CODES]


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    if found := list(lines):
        yield from ("", title, *(f"  {line}" for line in found))


def _ports(spec: OperatorSpec) -> Iterator[str]:
    rows = [("in", port) for port in spec.inputs] + [("out", port) for port in spec.outputs]
    yield from _table((way, port.id, _carries(port), port.description) for way, port in rows)
    if spec.buckets:
        yield f"out  and one for each of `{spec.buckets}`"


def _carries(port: Port) -> str:
    if port.passes is not None:
        return f"what comes in at {port.passes}"
    what = port.content_type if port.cardinality == "one" else f"many of {port.content_type}"
    of = f", its output `{port.key}`" if port.key else ""
    return f"{what}{of}" if port.required else f"{what}{of}, or nothing"


def _options(spec: OperatorSpec) -> Iterator[str]:
    schema = spec.config_schema
    for name, field in schema.get("properties", {}).items():
        yield f"{name}: {field_shown(field, schema.get('$defs', {}))}"
        about = field.get("description", "")
        yield from textwrap.wrap(about, _width(), initial_indent="    ", subsequent_indent="    ")


def _needs(spec: OperatorSpec, catalogue: EntryPointCatalogue, config: dict[str, Any] | None) -> Iterator[str]:
    try:
        requirements = spec.requires if config is None else catalogue.requirements(spec.id, config)
    except LoomError as error:
        yield error.message
        return
    for one in requirements:
        if not missing([one]):
            yield f"the {one.kind} {one.name}, which is there"
        else:
            yield sentence(one) + (" (some files go without it)" if one.optional else "")


def _table(rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    """Rows in columns; what is too long in the last goes on below itself."""
    found = [tuple(map(str, row)) for row in rows]
    if not found:
        return
    widths = [max(map(len, column)) for column in zip(*found, strict=True)]
    for *first, last in found:
        head = "".join(f"{text:<{width}}  " for text, width in zip(first, widths, strict=False))
        yield from textwrap.wrap(
            last, max(_width(), len(head) + 30), initial_indent=head, subsequent_indent=" " * len(head)
        ) or [head.rstrip()]


def _width() -> int:
    """Of a line without the indent of its section."""
    return min(shutil.get_terminal_size((120, 24)).columns, 120) - 2
