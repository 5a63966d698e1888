"""Prompts with values of earlier nodes in them: `Translate this: {extract.text:8000}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter
from typing import Annotated, Any, NamedTuple

import msgspec
from pydantic import AfterValidator, Field

from cortex.operators.references import is_value_name

MOST_CHARACTERS = 20_000
"""Of one value, unless its form asks for fewer or more."""

_NUMBER = re.compile(r"[1-9]\d{0,6}", re.ASCII)


class Part(NamedTuple):
    """A text, and the value that comes after it, of which no more than `most` characters are used."""

    before: str
    value: str | None
    most: int = MOST_CHARACTERS


def parts_of(prompt: str) -> list[Part]:
    """Raises `ValueError` with a sentence for braces that hold no value of a node."""
    try:
        parts = list(Formatter().parse(prompt))
    except ValueError as error:
        raise ValueError(f"the prompt cannot be understood: {error}; write {{{{ and }}}} for braces") from None
    found = []
    for before, value, form, conversion in parts:
        if value is not None and (not is_value_name(value) or conversion is not None):
            raise ValueError(
                f"{{{value}}} is not the value of a node: write {{node.key}}, and {{{{ and }}}} for braces"
            )
        if form and not _NUMBER.fullmatch(form):
            raise ValueError(f"{form!r} is no form: write the number of characters, as in {{node.key:2000}}")
        found.append(Part(before, value, int(form) if form else MOST_CHARACTERS))
    return found


def _checked(prompt: str) -> str:
    parts_of(prompt)
    return prompt


Prompt = Annotated[str, AfterValidator(_checked), Field(json_schema_extra={"format": "node-template"})]
"""A text with `{node.key}` in it. A value is put in as it is: braces in it mean nothing."""


def names_in(*prompts: str) -> tuple[str, ...]:
    """The values that prompts name, each once."""
    return tuple(dict.fromkeys(part.value for text in prompts for part in parts_of(text) if part.value is not None))


def filled(prompt: str, values: Mapping[str, Any]) -> str:
    """The prompt with its values; nothing stands where there is none."""
    return "".join(
        part.before + ("" if part.value is None else text_of(values.get(part.value))[: part.most])
        for part in parts_of(prompt)
    )


def text_of(value: Any) -> str:
    """A value as words: texts as they are, lists of texts with commas between, the rest as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return msgspec.json.encode(value).decode()
