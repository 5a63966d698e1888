"""YAML in and out. Read with the types of YAML 1.2 (`no` is a text, `010` is ten), from the parser's events rather
than by a loader: nothing but plain values comes out, nesting is bounded (libyaml's composer overruns the stack) and a
key that is there twice is an error. Written so that readers of YAML 1.1 understand the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

from loom.graph.codes import said
from loom.graph.plain import MAX_DEPTH

_TAG = "tag:yaml.org,2002:"

_CORE_TYPES: tuple[tuple[str, re.Pattern[str], list[str]], ...] = (
    ("bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")),
    ("null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    ("int", re.compile(r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"), list("-+0123456789")),
    (
        "float",
        re.compile(
            r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
        ),
        list("-+.0123456789"),
    ),
)
"""The core schema of YAML 1.2.2, section 10.3.2: type, form, first characters."""

_LINES = re.compile(r"[!-~](?:[ -~]*[!-~])?\n(?:(?:[ -~]*[!-~])?\n)*(?<!\n\n)", re.ASCII)
"""Lines of ASCII that a literal block carries exactly: no space at the start of the text or at the end of a line."""


def read_yaml(text: str) -> Any:
    """The value of a text with one document. Raises `ValueError` with a sentence and the line, `RecursionError` for
    values that are nested more than 64 deep."""
    reader = _Reader()
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):
            _READ[type(event)](reader, event)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        raise ValueError(f"{fault.problem or fault.context}" + (f" (line {mark.line + 1})" if mark else "")) from None
    except yaml.YAMLError as fault:
        raise ValueError(str(fault).partition("\n")[0]) from None
    return reader.value


def write_yaml(value: Any) -> str:
    """The text of a plain value: blocks outside, `{a: 1}` and `[1, 2]` where nothing is nested."""
    options: dict[str, Any] = {"sort_keys": False, "allow_unicode": True, "width": 120, "default_flow_style": None}
    return str(yaml.dump(value, Dumper=_Dumper, **options))


class _Reader:
    """Makes values of events. `_open` are the lists and objects that have not ended, each with the key that waits for
    its value."""

    def __init__(self) -> None:
        self.value: Any = None
        self._open: list[tuple[Any, list[str], str | None]] = []
        self._anchors: dict[str, Any] = {}
        self._documents = 0

    def structure(self, event: Any) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise _fault("there is a second document", event)

    def scalar(self, event: Any) -> None:
        self._add(_scalar(event), event)
        if event.anchor:
            self._anchors[event.anchor] = _scalar(event)

    def alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            raise _fault(f"there is no anchor {said(event.anchor)} before this", event)
        self._add(self._anchors[event.anchor], event)

    def start(self, event: Any) -> None:
        name = "map" if isinstance(event, yaml.MappingStartEvent) else "seq"
        value: Any = {} if name == "map" else []
        if event.tag not in (None, "!", f"{_TAG}{name}"):
            raise _fault(f"the tag {said(event.tag)} is not known", event)
        if len(self._open) > MAX_DEPTH:
            raise RecursionError
        self._add(value, event)
        self._open.append((value, [], event.anchor))

    def end(self, event: Any) -> None:
        value, _, anchor = self._open.pop()
        if anchor:
            self._anchors[anchor] = value

    def _add(self, value: Any, event: Any) -> None:
        if not self._open:
            self.value = value
            return
        holder, key, _ = self._open[-1]
        if isinstance(holder, list):
            holder.append(value)
        elif key:
            holder[key.pop()] = value
        elif not isinstance(value, str):
            raise _fault("a key is not a text; put it in quotes", event)
        elif value in holder:
            raise _fault(f"the key {said(value)} is there twice", event)
        else:
            key.append(value)


_READ = {
    yaml.StreamStartEvent: _Reader.structure, yaml.StreamEndEvent: _Reader.structure,
    yaml.DocumentStartEvent: _Reader.structure, yaml.DocumentEndEvent: _Reader.structure,
    yaml.ScalarEvent: _Reader.scalar, yaml.AliasEvent: _Reader.alias,
    yaml.MappingStartEvent: _Reader.start, yaml.SequenceStartEvent: _Reader.start,
    yaml.MappingEndEvent: _Reader.end, yaml.SequenceEndEvent: _Reader.end,
}  # fmt: skip


def _scalar(event: Any) -> Any:
    """Quoted or tagged with `!` it is text; plain, what its form says; with a type's tag, of that form or an error."""
    if event.tag == f"{_TAG}str" or event.tag == "!" or (event.tag is None and not event.implicit[0]):
        return event.value
    for name, form, first in _CORE_TYPES:
        if event.tag in (None, f"{_TAG}{name}") and event.value[:1] in first and form.match(event.value):
            return _MAKE[name](event.value)
    if event.tag is not None:
        raise _fault(f"{said(event.value)} cannot be read as {said(event.tag)}", event)
    return event.value


def _whole(text: str) -> int:
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


def _number(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


_MAKE: dict[str, Callable[[str], Any]] = {
    "bool": lambda text: text.lower() == "true",
    "null": lambda _: None,
    "int": _whole,
    "float": _number,
}


def _fault(message: str, event: Any) -> ValueError:
    return ValueError(f"{message} (line {event.start_mark.line + 1})")


class _Dumper(yaml.SafeDumper):
    """Quotes every text that YAML 1.1 or 1.2 would take for something else; writes lines of text as lines, and
    what cannot be seen by its number."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, text: str) -> Any:
        style = "|" if _LINES.fullmatch(text) else None if text.isprintable() else '"'
        return self.represent_scalar(f"{_TAG}str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)
for _name, _form, _first in _CORE_TYPES:
    _Dumper.add_implicit_resolver(f"{_TAG}{_name}", _form, _first)
