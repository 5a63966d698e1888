"""How many assets of a run went into which bucket, and along two branches at once: told from the outputs of the few
nodes that say so, for the packed outcomes do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from loom.graph.ports import BUCKET, REST, VERDICTS
from loom.model import Branch, Reason, State
from loom.packing import OUTCOME_BYTES, code_of
from loom.store.tables import nodes, outcomes, results, runs, steps

_PIECE = 10_000

Parting = Mapping[str, frozenset[str]]
"""Nodes that part assets, with the buckets that edges lead out of."""


class _Said(msgspec.Struct):
    bucket: Any = None
    verdicts: Any = None


_decode = msgspec.json.Decoder(_Said).decode


class Parts:
    """Of one node: assets by bucket, and those that it sent along both branches."""

    def __init__(self, buckets: frozenset[str]) -> None:
        self.buckets: Counter[str] = Counter(dict.fromkeys(buckets, 0))
        self.both = 0

    def add(self, outputs: str) -> None:
        said = _said(outputs)
        verdicts = said.verdicts if isinstance(said.verdicts, list) else []
        self.both += Branch.PASS in verdicts and Branch.FAIL in verdicts
        if not self.buckets:
            return
        if not isinstance(said.bucket, list):
            self.buckets[said.bucket if isinstance(said.bucket, str) else REST] += 1
            return
        seen = (name or REST for name, verdict in zip(said.bucket, verdicts, strict=False) if verdict is not None)
        self.buckets.update({name for name in seen if isinstance(name, str)} or {REST})


def parts_of(parting: Parting) -> dict[str, Parts]:
    return {node: Parts(buckets) for node, buckets in parting.items()}


def add(connection: Connection, number: int, parts: Mapping[str, Parts], first: int, end: int) -> None:
    """Of the assets of a run from position `first` up to `end` (left out), those that such a node let through."""
    if not parts:
        return
    found = (
        select(nodes.c.name, steps.c.position, steps.c.signature)
        .join(steps, steps.c.node == nodes.c.id)
        .join(runs, runs.c.steps == steps.c.list)
        .where(runs.c.id == number, nodes.c.name.in_(parts))
    )
    for name, at, signature in connection.execute(found).all():
        for begin in range(first, end, _PIECE):
            asked = (
                select(outcomes.c.packed, results.c.outputs)
                .join(results, (results.c.asset == outcomes.c.asset) & (results.c.signature == signature))
                .where(
                    outcomes.c.run == number,
                    outcomes.c.position >= begin,
                    outcomes.c.position < min(begin + _PIECE, end),
                )
            )
            for packed, outputs in connection.execute(asked):
                if _has_result(packed[at * OUTCOME_BYTES : (at + 1) * OUTCOME_BYTES]):
                    parts[name].add(outputs)


def _has_result(packed: bytes) -> bool:
    if len(packed) < OUTCOME_BYTES or packed[3] == code_of(Branch.ERROR):
        return False
    return packed[0] == code_of(State.COMPLETED) or packed[1] == code_of(Reason.STORED)


def _said(outputs: str) -> _Said:
    if f'"{BUCKET}"' not in outputs and f'"{VERDICTS}"' not in outputs:
        return _Said()
    try:
        return _decode(outputs)
    except msgspec.DecodeError:
        return _Said()
