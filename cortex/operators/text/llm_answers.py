"""What a language model answers: its text, what it cost, and JSON that must follow a schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec

from loom.errors import LoomError

T = TypeVar("T")

_MOST_SAID = 500
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCED = re.compile(r"\A```\w*\n(.*)\n```\Z", re.DOTALL)


class Reply(NamedTuple):
    """One answer. Tokens are None where the server does not count them; `finish` is why it ends, such as `length`."""

    text: str
    model: str | None
    finish: str | None
    prompt_tokens: int | None
    completion_tokens: int | None


def reply_of(answer: Mapping[str, Any]) -> Reply:
    """Raises `OPERATOR_FAILED` when the model refuses to answer, `OUTPUT_INVALID` when there is no text in it."""
    choices = answer.get("choices")
    first = _object(choices[0]) if isinstance(choices, list) and choices else {}
    message, usage = _object(first.get("message")), _object(answer.get("usage"))
    text = _text_in(message.get("content"))
    if text is None and isinstance(message.get("refusal"), str):
        raise LoomError("OPERATOR_FAILED", f"the model refuses: {message['refusal'][:_MOST_SAID]}")
    if text is None:
        raise LoomError("OUTPUT_INVALID", "the server's answer has no text in it")
    return Reply(
        _THOUGHT.sub("", text).strip(),
        _only(str, answer.get("model")),
        _only(str, first.get("finish_reason")),
        _only(int, usage.get("prompt_tokens")),
        _only(int, usage.get("completion_tokens")),
    )


def _text_in(content: Any) -> str | None:
    """Some servers give the text in parts."""
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(part for part in parts if isinstance(part, str)) or None
    return _only(str, content)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _only(kind: type[T], value: Any) -> T | None:
    return value if isinstance(value, kind) else None


class Schema:
    """A JSON Schema (2020-12) for answers, which are objects."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Raises `ValueError` with a sentence for one that is none; parts of it may refer to each other only."""
        from jsonschema import Draft202012Validator, SchemaError
        from referencing import Registry

        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            raise ValueError(f"this is no JSON Schema: {error.message[:_MOST_SAID]}") from None
        if schema.get("type") != "object":
            raise ValueError("the answer is an object: the schema begins with `type: object`")
        self._validator = Draft202012Validator(schema, registry=Registry())

    def read(self, text: str) -> dict[str, Any]:
        """The answer in a text. Raises `ValueError` with what is wrong with it, as the end of a sentence."""
        fenced = _FENCED.match(text)
        try:
            answer = msgspec.json.decode(fenced[1] if fenced else text, type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ValueError(f"is no JSON object: {error}") from None
        fault = next(self._validator.iter_errors(answer), None)
        if fault is not None:
            raise ValueError(f"does not follow the schema at {fault.json_path}: {fault.message[:_MOST_SAID]}")
        return answer


def field_of(answer: Any, path: str) -> Any:
    """The field of an answer, `name` or `name.inner`; None where there is none."""
    for part in path.split("."):
        answer = answer.get(part) if isinstance(answer, dict) else None
    return answer


def added(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other
