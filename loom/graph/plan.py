"""The frozen plan: what a definition means, in the order in which it is carried out."""

from __future__ import annotations

from typing import Any

import msgspec

from loom.model import Branch, Kind, StepRef

SOURCE = -1
"""Stands for the source node where the index of an upstream step is expected."""


class Inbound(msgspec.Struct, frozen=True, array_like=True):
    """One edge into a step: the index of the upstream step (`SOURCE` for the source) and the edge's label; `bucket`
    when it is for assets of that bucket alone."""

    upstream: int
    branch: Branch | None
    bucket: str | None = None


class Way(msgspec.Struct, frozen=True, array_like=True):
    """An edge out of a step that is computed for each item: those go along it that got this verdict (None: any) and
    fell into this bucket (None: any)."""

    step: int
    branch: Branch | None
    bucket: str | None


class Feed(msgspec.Struct, frozen=True, array_like=True):
    """Where values come from: a key of a step's outputs, None for all of them as one object. `depth`: it holds one
    value (0), a list of values (1), or a list of such lists (2). `is_artifact`: derived files, whose name fits `key`.
    `ways`: only items come that go along one of them; without any, all do."""

    upstream: int
    key: str | None
    depth: int
    is_artifact: bool = False
    ways: tuple[Way, ...] = ()


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """What comes in at a step's input for values or derived files: of `feeds` in the order of their nodes' ids, so that
    the order in which a definition lists them changes nothing. `many`: it takes the whole list; `fans_out`: the step is
    computed once for each item. Without any value it is skipped where one is `required`."""

    feeds: tuple[Feed, ...]
    many: bool = False
    fans_out: bool = False
    required: bool = True


class AssetFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which assets may pass; an empty field lets all pass. `mime` and `path` are globs (`image/*`, `**/raw/**`),
    `path` being matched against the path below the scanned folder; `min_size` and `max_size` are bytes, inclusive."""

    kinds: frozenset[Kind] = frozenset()
    mime: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    min_size: int | None = None
    max_size: int | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One node, compiled.

    `config` is normalised and without `enabled`. `inbound` lists its edges in the order of the definition. `reads`
    are the steps whose outputs it may read, by node id, those of its `intake` among them; `needs` those without whose
    outputs it is skipped. `sandboxed` steps get the bytes and run in worker processes; the others run in the parent.
    """

    index: int
    node: str
    operator: str
    operator_version: str
    config: dict[str, Any]
    signature: bytes
    inbound: tuple[Inbound, ...]
    reads: dict[str, int]
    needs: tuple[str, ...]
    kinds: frozenset[Kind]
    enabled: bool
    filter: AssetFilter | None
    timeout_s: float | None
    retries: int
    verdicts: bool | None
    sandboxed: bool
    effect: bool
    intake: Intake | None = None

    @property
    def ref(self) -> StepRef:
        return StepRef(self.node, self.operator, self.operator_version, self.signature)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The source node."""

    node: str
    operator: str
    config: dict[str, Any]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A definition compiled: `steps` in BFS topological order. `digest` covers everything that decides outcomes
    (signatures, edges, filters, switched-off nodes), not names, priorities or layout."""

    pipeline: str
    dry_run: bool
    match: AssetFilter
    source: Source
    steps: tuple[Step, ...]
    digest: bytes

    def step(self, node: str) -> Step:
        """The step of that node id; raises `KeyError`."""
        for step in self.steps:
            if step.node == node:
                return step
        raise KeyError(node)
