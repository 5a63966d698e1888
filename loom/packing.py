"""Outcomes as they are kept: one row per run and asset, eight bytes for each node."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from itertools import product
from typing import Any

from loom.model import Branch, Origin, Outcome, Reason, State

_STATES: tuple[State, ...] = tuple(State)
_REASONS: tuple[Reason | None, ...] = (None, *Reason)
_ORIGINS: tuple[Origin | None, ...] = (None, *Origin)
_BRANCHES: tuple[Branch | None, ...] = (None, *Branch)
_FIELDS: tuple[tuple[Any, ...], ...] = (_STATES, _REASONS, _ORIGINS, _BRANCHES)
_HEAD: dict[tuple[Any, ...], bytes] = {
    tuple(values): bytes(codes)
    for codes, values in ((zip(*pairs, strict=True)) for pairs in product(*map(enumerate, _FIELDS)))
}
"""What stands before the duration of a packed outcome."""
_OUTCOME = struct.Struct("<BBBBI")
OUTCOME_BYTES = _OUTCOME.size
_DURATION = struct.Struct("<I")
_LONGEST = 0xFFFFFFFF


def pack_outcomes(outcomes: Iterable[Outcome]) -> bytes:
    """Eight bytes for each node in the order of the plan: state, reason, origin, verdict, duration in microseconds."""
    return b"".join(
        [_HEAD[o.state, o.reason, o.origin, o.verdict] + _DURATION.pack(min(o.duration_us, _LONGEST)) for o in outcomes]
    )


def unpack_outcomes(packed: bytes) -> list[Outcome]:
    """The inverse of `pack_outcomes`."""
    return [
        Outcome(_STATES[state], _REASONS[reason], _ORIGINS[origin], _BRANCHES[verdict], duration)
        for state, reason, origin, verdict, duration in _OUTCOME.iter_unpack(packed)
    ]


def code_of(word: State | Reason | Origin | Branch) -> int:
    """The byte that stands for a word in its place: state, reason, origin, verdict."""
    return next(values.index(word) for values in _FIELDS if word in values)
