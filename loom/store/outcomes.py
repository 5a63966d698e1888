"""Outcomes of a run: unpacked, and joined with the results that they have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, select

from loom.model import ArtifactRef, Branch, Outcome, Reason, State, asset_uuid, unpack_outcomes
from loom.shapes import Page, ResultShape
from loom.store.results import (
    Key,
    artifact_refs,
    artifact_shape,
    error_shape,
    producer_shape,
    shown_results,
)
from loom.store.runs import StepRow, steps_of
from loom.store.statements import chunks
from loom.store.tables import assets, outcomes, pipeline_versions, pipelines, results, runs
from loom.store.values import cursor_of, iso, key_of_cursor, page_size

_PIECE = 512


class WalkedNode(NamedTuple):
    """One node of a run for one asset."""

    asset: int
    blake3: bytes
    position: int
    outcome: Outcome


class RunRow(NamedTuple):
    """A run as its outcomes need it."""

    id: int
    uuid: UUID
    pipeline: str
    steps: list[StepRow]


def has_failed(outcome: Outcome) -> bool:
    """Whether the node failed, in this run or in an earlier one whose stored failure was met again."""
    return outcome.state is State.FAILED or outcome.verdict is Branch.ERROR


def run_row(connection: Connection, number: int) -> RunRow:
    row = connection.execute(
        select(runs.c.id, runs.c.uuid, runs.c.steps, pipelines.c.name)
        .join(pipeline_versions, pipeline_versions.c.id == runs.c.version)
        .join(pipelines, pipelines.c.id == pipeline_versions.c.pipeline)
        .where(runs.c.id == number)
    ).one()
    return RunRow(row.id, UUID(bytes=row.uuid), row.name, steps_of(connection, row.steps))


def page(
    connection: Connection, number: int, state: State | None, node: str | None, limit: int, cursor: str | None
) -> Page[ResultShape]:
    """The outcomes of a run, by asset and then in the order of the plan."""
    run = run_row(connection, number)
    after = key_of_cursor(cursor, int, int) or (0, -1)
    wanted: list[WalkedNode] = []
    for walked in walk(connection, run.id, from_asset=after[0], only_failed=state is State.FAILED):
        if (walked.asset, walked.position) <= after or (state is not None and walked.outcome.state is not state):
            continue
        if node is not None and run.steps[walked.position].node != node:
            continue
        wanted.append(walked)
        if len(wanted) > page_size(limit):
            break
    shown = wanted[: page_size(limit)]
    following = cursor_of(shown[-1].asset, shown[-1].position) if len(wanted) > len(shown) else None
    return Page(items=_shapes(connection, run, shown), next=following)


def walk(connection: Connection, run: int, *, from_asset: int = 0, only_failed: bool = False) -> Iterator[WalkedNode]:
    """Every outcome of a run from that asset on; `only_failed`: only of assets at which some node failed."""
    first = from_asset
    while True:
        statement = (
            select(outcomes.c.asset, assets.c.blake3, outcomes.c.packed)
            .join(assets, assets.c.id == outcomes.c.asset)
            .where(outcomes.c.run == run, outcomes.c.asset >= first)
            .order_by(outcomes.c.asset)
            .limit(_PIECE)
        )
        if only_failed:
            statement = statement.where(outcomes.c.failed > 0)
        rows = connection.execute(statement).all()
        for asset, digest, packed in rows:
            for position, outcome in enumerate(unpack_outcomes(packed)):
                yield WalkedNode(asset, digest, position, outcome)
        if len(rows) < _PIECE:
            return
        first = rows[-1].asset + 1


def results_of(connection: Connection, numbers: Sequence[int], signatures: Sequence[int]) -> dict[Key, Row[Any]]:
    """The stored results of these assets and signatures, as rows of `shown_results`."""
    found: dict[Key, Row[Any]] = {}
    for piece in chunks(numbers):
        statement = shown_results().where(results.c.asset.in_(piece), results.c.signature.in_(signatures))
        found.update(((row.asset, row.signature), row) for row in connection.execute(statement))
    return found


def _shapes(connection: Connection, run: RunRow, shown: Sequence[WalkedNode]) -> list[ResultShape]:
    numbers = sorted({walked.asset for walked in shown})
    stored = results_of(connection, numbers, sorted({step.signature for step in run.steps}))
    refs = artifact_refs(connection, numbers)
    return [_shape(run, walked, stored, refs) for walked in shown]


def _shape(
    run: RunRow, walked: WalkedNode, stored: dict[Key, Row[Any]], refs: dict[Key, tuple[ArtifactRef, ...]]
) -> ResultShape:
    """An outcome that neither computed nor used a result has none, even when one is stored."""
    step, outcome = run.steps[walked.position], walked.outcome
    has_result = outcome.state is not State.SKIPPED or outcome.reason is Reason.STORED
    key = (walked.asset, step.signature)
    row = stored.get(key) if has_result else None
    return ResultShape(
        asset=asset_uuid(walked.blake3),
        signature=step.digest.hex(),
        run=run.uuid,
        pipeline=run.pipeline,
        node=step.node,
        operator=step.operator,
        operator_version=step.operator_version,
        state=outcome.state,
        origin=outcome.origin,
        verdict=outcome.verdict,
        outputs={} if row is None else msgspec.json.decode(row.outputs),
        artifacts=[] if row is None else [artifact_shape(ref) for ref in refs.get(key, ())],
        duration_ms=outcome.duration_us / 1000,
        reason=outcome.reason,
        error=None if row is None or not has_failed(outcome) else error_shape(row),
        finished=None if row is None else iso(row.finished),
        produced_by=None if row is None else producer_shape(row),
    )
