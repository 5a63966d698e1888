"""Names of files made of what is known of an asset: `{captured_at:%Y/%m}/{name}`."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import PurePath
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import AfterValidator
from pydantic import Field as JsonField

from cortex.derived import DerivedFile
from cortex.node import NodeContext
from cortex.operators.references import ValueName, is_value_name, nodes_of, value_of
from cortex.operators.sinks.suffixes import suffix_of
from loom.errors import LoomError

if TYPE_CHECKING:
    from cortex.media import Media

CAPTURED_AT = "captured_at"
"""Stands for `metadata.captured_at`."""

FACTS = ("name", "stem", "suffix", "kind", "asset", "blake3", "file")
"""What is known of every file; `file` is the name of a derived file."""

MAX_TEMPLATE = 1000
_MAX_VALUE = 120
_MAX_NAME = 255
_DATE_CODES = frozenset("YymdHMSjVGu")
_WIDTH = re.compile(r"0?[1-9]\d{0,2}", re.ASCII)
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f/\\<>:"|?*]')


class Field(NamedTuple):
    """What stands before a value, which value, and its form."""

    before: str
    value: str | None
    form: str


def fields_of(template: str) -> list[Field]:
    """The template in parts. Raises `ValueError` with a sentence for one that means nothing or leads elsewhere."""
    try:
        found = [Field(before, value, form or "") for before, value, form, _ in _parts(template)]
    except ValueError as error:
        raise ValueError(f"{template!r} cannot be understood: {error}") from None
    for part in "".join(field.before + ("x" if field.value is not None else "") for field in found).split("/"):
        if part in ("", ".", ".."):
            raise ValueError(f"{template!r} must lead to a file below the folder, without empty parts, `.` and `..`")
    return found


def _parts(template: str) -> list[tuple[str, str | None, str | None, str | None]]:
    parts = list(Formatter().parse(template))
    for before, value, form, conversion in parts:
        if _FORBIDDEN.search(before.replace("/", "")):
            raise ValueError('the characters \\ < > : " | ? * have no place in a name')
        if value is not None:
            _check(value, form or "", conversion)
    return parts


def _check(value: str, form: str, conversion: str | None) -> None:
    if value not in (*FACTS, CAPTURED_AT) and not is_value_name(value):
        raise ValueError(f"there is no {{{value}}}: it may be {', '.join(FACTS)}, {CAPTURED_AT} or node.key")
    if conversion is not None:
        raise ValueError(f"!{conversion} means nothing here")
    codes = re.findall(r"%(.?)", form)
    if codes and (_FORBIDDEN.search(form.replace("/", "")) or not _DATE_CODES.issuperset(codes)):
        raise ValueError(f"the form of a date has %{' %'.join(sorted(_DATE_CODES))} and what may stand in a name")
    if form and not codes and not _WIDTH.fullmatch(form):
        raise ValueError(f"{form!r} is no form: a date has one such as %Y/%m, a number or text the number of its signs")


def _is_template(text: str) -> str:
    fields_of(text)
    return text


def _is_part(text: str) -> str:
    if _FORBIDDEN.search(text) or text.strip(" .") != text or not text:
        raise ValueError(f"{text!r} cannot be part of a name")
    return text


Template = Annotated[str, AfterValidator(_is_template), JsonField(json_schema_extra={"format": "node-template"})]
"""Where a file goes, below a folder."""

NamePart = Annotated[str, AfterValidator(_is_part)]
"""A text that may stand in a name."""


def nodes_named(template: str) -> tuple[str, ...]:
    """The nodes whose values the template has."""
    return nodes_of(_reference(field.value) for field in fields_of(template) if field.value not in (None, *FACTS))


def _reference(value: str | None) -> ValueName:
    return "metadata.captured_at" if value == CAPTURED_AT else str(value)


def render(template: str, ctx: NodeContext, media: Media, missing: str | None) -> list[str]:
    """The names of the folders and, last, of the file; `missing` stands for values that are not there. Values come in
    without what may not stand in a name, the file's own name as it is. Raises `OPERATOR_FAILED` where a value is not
    there and nothing stands for it, and for a name that cannot be one."""
    parts: list[str] = []
    for field in fields_of(template):
        parts.append(field.before)
        if field.value is not None:
            text = _text(field, ctx, media)
            parts.append(text if text is not None else _stand_in(field, missing))
    names = "".join(parts).split("/")
    for name in names:
        if name in ("", ".", "..") or len(os.fsencode(name)) > _MAX_NAME:
            raise LoomError("OPERATOR_FAILED", f"{sayable(name)!r} cannot be the name of a file or folder")
    return names


def _stand_in(field: Field, missing: str | None) -> str:
    if missing is None:
        raise LoomError("OPERATOR_FAILED", f"there is no value for {{{field.value}}}, and nothing stands for it")
    return missing


def _text(field: Field, ctx: NodeContext, media: Media) -> str | None:
    if field.value in FACTS:
        fact = _fact(str(field.value), ctx, media)
        return None if fact is None else _cut(fact, field.form)
    return _formed(value_of(ctx, _reference(field.value)), field.form) or None


def _fact(fact: str, ctx: NodeContext, media: Media) -> str | None:
    name = PurePath(os.path.basename(media.path))
    known: dict[str, str | None] = {"name": name.name, "stem": name.stem, "suffix": name.suffix, "file": None}
    if isinstance(ctx.item, DerivedFile):
        suffix = suffix_of(ctx.item.media_type)
        known |= {"name": name.stem + suffix, "suffix": suffix, "file": clean(ctx.item.name)}
    known["kind"] = media.kind.value
    return known[fact] if fact in known else str(media.asset.uuid) if fact == "asset" else media.asset.blake3.hex()


def _formed(value: Any, form: str) -> str:
    """The value as it may stand in a name; empty for one that is not there or has not the form."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return "" if "%" in form else f"{value:0{form.lstrip('0')}}" if form else str(value)
    if not isinstance(value, str):
        return ""
    if "%" in form:
        try:
            return datetime.fromisoformat(value).strftime(form)
        except ValueError:
            return ""
    return _cut(clean(value), form)


def _cut(text: str, form: str) -> str:
    return text[: int(form)] if form else text


def clean(text: str) -> str:
    """The text without what may not stand in a name on any system."""
    return sayable(_FORBIDDEN.sub("_", " ".join(text.split()))[:_MAX_VALUE].strip(" ."))


def sayable(text: str) -> str:
    """The text without what cannot be told in UTF-8, such as bytes of a file's name."""
    return text.encode("utf-8", "replace").decode("utf-8")
