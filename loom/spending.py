"""What a run has spent: tokens of language models, and their price."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

METERED = frozenset({"llm.prompt"})
"""Operators whose outputs `prompt_tokens`, `completion_tokens` and `cost` tell what computing them has cost."""


Tokens = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Spent(msgspec.Struct, frozen=True):
    """Tokens that models were asked with and have answered, as their servers count them. `cost` is in the currency of
    the prices in the nodes' options, None where they have none. What came of a stored result has cost nothing, and what
    a failed node has cost nobody knows."""

    prompt_tokens: Tokens = 0
    completion_tokens: Tokens = 0
    cost: Annotated[float, Meta(ge=0)] | None = None


def spent_on(outputs: Iterable[bytes | str]) -> Spent | None:
    """Of results of metered operators, by their outputs; None when none of them tells of anything."""
    total = None
    for told in outputs:
        found: dict[str, Any] = msgspec.json.decode(told, type=dict[str, Any])
        asked, answered, cost = (_sum(found.get(key)) for key in ("prompt_tokens", "completion_tokens", "cost"))
        if asked is not None or answered is not None:
            total = together(total, Spent(int(asked or 0), int(answered or 0), cost or None))
    return total


def together(one: Spent | None, other: Spent | None) -> Spent | None:
    if one is None or other is None:
        return one or other
    prices = [cost for cost in (one.cost, other.cost) if cost is not None]
    return Spent(
        one.prompt_tokens + other.prompt_tokens,
        one.completion_tokens + other.completion_tokens,
        round(sum(prices), 9) if prices else None,
    )


def _sum(value: Any) -> float | None:
    """Of a node that was computed for each of several values, it is a list."""
    if isinstance(value, list):
        numbers = [number for one in value if (number := _sum(one)) is not None]
        return sum(numbers) if numbers else None
    return value if isinstance(value, int | float) and value >= 0 else None
