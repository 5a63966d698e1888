"""Outcomes of a run: unpacked, and joined with the results that they have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Select, bindparam, select

from loom.model import ArtifactRef, Branch, Outcome, Reason, State, asset_uuid
from loom.packing import OUTCOME_BYTES, code_of, unpack_outcomes
from loom.shapes import Page, ResultShape
from loom.store.handling import handled_nodes
from loom.store.results import (
    Key,
    artifact_refs,
    artifact_shape,
    error_shape,
    producer_shape,
    shown_results,
)
from loom.store.runs import StepRow, steps_of
from loom.store.statements import chunks, compiled, constant, fetch
from loom.store.tables import assets, outcomes, pipeline_versions, pipelines, results, runs
from loom.store.values import cursor_of, iso, key_of_cursor, page_size

PIECE = 512
"""Assets of a run that are looked at in one go."""

MOST_LOOKED_AT = 50_000
"""Outcomes of nodes that one page looks at once it has something."""

MOST_FOR_NOTHING = 1_000_000
"""Outcomes of nodes that one page looks at before it is answered without anything: about a second's work."""


class WalkedNode(NamedTuple):
    """One node of a run for one asset."""

    asset: int
    blake3: bytes
    position: int
    outcome: Outcome


class RunRow(NamedTuple):
    """A run as its outcomes need it. `handled` are the nodes whose failures an `ERROR` edge handles."""

    id: int
    uuid: UUID
    pipeline: str
    version: int
    steps: list[StepRow]
    handled: frozenset[str]


def has_failed(outcome: Outcome) -> bool:
    """Whether the node failed, in this run or in an earlier one whose stored failure was met again."""
    return outcome.state is State.FAILED or outcome.verdict is Branch.ERROR


def run_row(connection: Connection, number: int) -> RunRow:
    row = connection.execute(
        select(runs.c.id, runs.c.uuid, runs.c.version, runs.c.steps, pipelines.c.name, pipeline_versions.c.number)
        .join(pipeline_versions, pipeline_versions.c.id == runs.c.version)
        .join(pipelines, pipelines.c.id == pipeline_versions.c.pipeline)
        .where(runs.c.id == number)
    ).one()
    handled = handled_nodes(connection, [row.version])[row.version]
    return RunRow(row.id, UUID(bytes=row.uuid), row.name, row.number, steps_of(connection, row.steps), handled)


def page(
    connection: Connection, number: int, state: State | None, node: str | None, limit: int, cursor: str | None
) -> Page[ResultShape]:
    """The outcomes of a run, by asset and then in the order of the plan. Where few are meant, a page may have less than
    `limit` and others follow: nobody waits until the whole run was looked through. It has nothing only at the end, or
    in the midst of a very large run."""
    run = run_row(connection, number)
    positions = [position for position, step in enumerate(run.steps) if node in (None, step.node)]
    if not positions:
        return Page(items=[], next=None)
    after = key_of_cursor(cursor, int, int) or (0, -1)
    code = None if state is None else code_of(state)
    most = page_size(limit)
    wanted: list[WalkedNode] = []
    looked_at, reached, following = 0, after, None
    for asset, digest, packed in walk(connection, run.id, after[0], only_failed=state is State.FAILED):
        if looked_at >= (MOST_LOOKED_AT if wanted else MOST_FOR_NOTHING):
            following = reached
            break
        looked_at += len(run.steps)
        meant = [at for at in positions if code is None or packed[at * OUTCOME_BYTES] == code]
        if meant:
            ends = unpack_outcomes(packed)
            wanted += [WalkedNode(asset, digest, at, ends[at]) for at in meant if (asset, at) > after]
        reached = (asset + 1, -1)
        if len(wanted) > most:
            following = (wanted[most - 1].asset, wanted[most - 1].position)
            break
    return Page(
        items=_shapes(connection, run, wanted[:most]), next=None if following is None else cursor_of(*following)
    )


def walk(
    connection: Connection, run: int, from_asset: int = 0, *, only_failed: bool = False
) -> Iterator[tuple[int, bytes, bytes]]:
    """The assets of a run from that one on, as `rows_of` has them."""
    first = from_asset
    while True:
        rows = rows_of(connection, run, first, only_failed=only_failed)
        yield from rows
        if len(rows) < PIECE:
            return
        first = rows[-1][0] + 1


def rows_of(connection: Connection, run: int, first: int, *, only_failed: bool) -> list[tuple[int, bytes, bytes]]:
    """The next `PIECE` assets of a run (number, digest, outcomes as they are packed), the first of them or those at
    which some node failed."""
    sql = compiled(connection, _rows_of, only_failed)
    if only_failed and connection.dialect.name == "sqlite":
        # it would search the primary key, and so read all that did not fail
        sql = sql.replace("FROM outcomes", "FROM outcomes INDEXED BY ix_outcomes_failed", 1)
    return [(row[0], row[1], row[2]) for row in fetch(connection, f"{sql} LIMIT {PIECE}", (run, first))]


def _rows_of(only_failed: bool) -> Select[Any]:
    statement = (
        select(outcomes.c.asset, assets.c.blake3, outcomes.c.packed)
        .join(assets, assets.c.id == outcomes.c.asset)
        .where(outcomes.c.run == bindparam("run"), outcomes.c.asset >= bindparam("first"))
    )
    if only_failed:
        statement = statement.where(outcomes.c.failed > constant(0))
    return statement.order_by(outcomes.c.asset)


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
        verdict=None if outcome.verdict is Branch.ERROR else outcome.verdict,
        outputs={} if row is None else msgspec.json.decode(row.outputs),
        artifacts=[] if row is None else [artifact_shape(ref) for ref in refs.get(key, ())],
        duration_ms=outcome.duration_us / 1000,
        reason=outcome.reason,
        error=None if row is None or not has_failed(outcome) else error_shape(row),
        finished=None if row is None else iso(row.finished),
        produced_by=None if row is None else producer_shape(row),
        handled=has_failed(outcome) and step.node in run.handled,
    )
