from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from collections import namedtuple
from typing import Any

import pytest

from cortex.outputs import MAX_INTEGER, check
from loom.errors import LoomError


class Word(enum.StrEnum):
    ONE = "one"


class Number(enum.Enum):
    ONE = 1


Pair = namedtuple("Pair", "a b")
SHARED: list[Any] = [1]


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, MAX_INTEGER, -MAX_INTEGER, 1.5, -0.0, 1e300, "", "caf\u00e9", Word.ONE, [], {},
        {"a": [1, (2.5, None), {"b": "c"}]}, Pair(1, "x"), [SHARED, SHARED],
    ],
)  # fmt: skip
def test_json_may_be_given(value: Any) -> None:
    check("x", value)


BAD = {
    "NaN or an infinity": [float("nan"), float("inf"), -float("inf")],
    "more than 53 bits": [MAX_INTEGER + 1, -MAX_INTEGER - 1, 10**40],
    "type bytes": [b"x"],
    "type bytearray": [bytearray(b"x")],
    "type set": [{1}],
    "type datetime": [datetime.datetime(2020, 1, 1)],
    "type UUID": [uuid.UUID(int=1)],
    "type Decimal": [decimal.Decimal("1.5")],
    "type Number": [Number.ONE],
    "not JSON": [object(), "half \udc80"],
    "key that is not a text": [{1: "x"}],
}


@pytest.mark.parametrize(("why", "value"), [(why, value) for why, values in BAD.items() for value in values])
def test_what_would_be_stored_as_something_else_is_refused(why: str, value: Any) -> None:
    for given in (value, [value], {"a": [{"b": value}]}):
        with pytest.raises(LoomError, match=f"output 'x' .*{why}") as refused:
            check("x", given)
        assert refused.value.code == "OUTPUT_INVALID"


def test_what_is_nested_in_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(LoomError, match="nested more than 99 deep"):
        check("x", value)
