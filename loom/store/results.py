"""Stored results, looked up for workers and shown to people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET
from sqlalchemy import Connection, Row, Select, func, select

from loom.errors import is_retryable
from loom.model import ArtifactRef, KnownAsset, Origin, StoredResult, asset_uuid
from loom.packing import unpack_outcomes
from loom.shapes import ArtifactShape, ErrorShape, ProducerShape, ResultShape
from loom.store import assets
from loom.store.handling import handled_nodes
from loom.store.statements import any_of, chunks, compiled, fetch, fetch_each
from loom.store.tables import (
    artifacts,
    nodes,
    outcomes,
    pipeline_versions,
    pipelines,
    result_artifacts,
    results,
    runs,
    signatures,
    steps,
    workers,
)
from loom.store.tables import assets as asset_table
from loom.store.values import iso, state_of, verdict_of

Key = tuple[int, int]
"""A result's: the numbers of its asset and signature."""


def lookup(
    connection: Connection, digests: Sequence[bytes], wanted: Sequence[bytes], run_uuids: Sequence[UUID]
) -> list[KnownAsset]:
    """What is known of each asset, in the order asked. See `loom.verbs.Ledger.lookup`."""
    ids = assets.known(connection, digests)
    if not ids:
        return [KnownAsset(False)] * len(digests)
    numbers = sorted(set(ids.values()))
    signature_of: dict[int, bytes] = dict(fetch_each(connection, _signature_numbers, wanted))
    stored = _stored(connection, numbers, signature_of)
    walked = _walked(connection, numbers, run_uuids)
    return [
        KnownAsset(True, tuple(stored.get(number, ())), number in walked)
        if (number := ids.get(digest)) is not None
        else KnownAsset(False)
        for digest in digests
    ]


def _stored(
    connection: Connection, numbers: Sequence[int], signature_of: dict[int, bytes]
) -> dict[int, list[StoredResult]]:
    """Usable results by asset; failures that may be tried again are not usable."""
    rows = []
    for asked in chunks(list(signature_of)):
        for piece in chunks(numbers):
            sql = compiled(connection, _wanted_results, len(piece), len(asked))
            rows += [row for row in fetch(connection, sql, (*piece, *asked)) if not is_retryable(row[5] or "")]
    refs = artifact_refs(connection, sorted({row[0] for row in rows}))
    found: dict[int, list[StoredResult]] = defaultdict(list)
    for asset, signature, state, verdict, outputs, code, message, took in rows:
        found[asset].append(
            StoredResult(
                signature_of[signature],
                state_of(state),
                verdict_of(verdict),
                outputs.encode("utf-8"),
                refs.get((asset, signature), ()),
                code,
                message,
                took,
            )
        )
    return found


def artifact_refs(connection: Connection, numbers: Sequence[int]) -> dict[Key, tuple[ArtifactRef, ...]]:
    """The derived files of all results of these assets, by name."""
    found: dict[Key, tuple[ArtifactRef, ...]] = {}
    for asset, signature, name, digest, media_type, size in fetch_each(connection, _artifacts_of, numbers):
        key = (asset, signature)
        found[key] = (*found.get(key, ()), ArtifactRef(name, digest, media_type, size))
    return found


def _walked(connection: Connection, numbers: Sequence[int], run_uuids: Sequence[UUID]) -> set[int]:
    found: set[int] = set()
    for asked in chunks([uuid.bytes for uuid in run_uuids]):
        for piece in chunks(numbers):
            sql = compiled(connection, _walked_in, len(asked), len(piece))
            found.update(row[0] for row in fetch(connection, sql, (*asked, *piece)))
    return found


def of_asset(connection: Connection, uuid: UUID) -> list[ResultShape]:
    """All results of an asset, the oldest first and then in the order of the plan; raises `NOT_FOUND`."""
    return [shape for _, shape in of_assets(connection, [assets.by_uuid(connection, uuid)])]


def of_assets(connection: Connection, numbers: Sequence[int]) -> list[tuple[int, ResultShape]]:
    """The same of several assets, each with the number of its asset."""
    refs = artifact_refs(connection, numbers)
    position = select(func.min(steps.c.position)).where(
        steps.c.list == runs.c.steps, steps.c.signature == results.c.signature
    )
    statement = shown_results().where(results.c.asset.in_(numbers))
    in_order = (results.c.asset, results.c.finished, position.scalar_subquery())
    rows = connection.execute(statement.order_by(*in_order)).all()
    origins = _origins(connection, numbers)
    handled = handled_nodes(connection, (row.version for row in rows if row.error_code is not None))
    return [
        (
            row.asset,
            result_shape(
                row,
                refs.get((row.asset, row.signature), ()),
                origins.get((row.asset, row.run, row.signature), Origin.COMPUTED),
                row.node_name in handled.get(row.version, ()),
            ),
        )
        for row in rows
    ]


def _origins(connection: Connection, numbers: Sequence[int]) -> dict[tuple[int, int, int], Origin]:
    """Where the results of assets came from, by asset, the run that stored them and the signature."""
    statement = (
        select(outcomes.c.asset, outcomes.c.run, outcomes.c.packed, steps.c.position, steps.c.signature)
        .join(runs, runs.c.id == outcomes.c.run)
        .join(steps, steps.c.list == runs.c.steps)
        .join(results, (results.c.asset == outcomes.c.asset) & (results.c.run == runs.c.id))
        .where(outcomes.c.asset.in_(numbers), results.c.signature == steps.c.signature)
    )
    found: dict[tuple[int, int, int], Origin] = {}
    for asset, run, packed, position, signature in connection.execute(statement):
        origin = unpack_outcomes(packed)[position].origin
        if origin is not None:
            found.setdefault((asset, run, signature), origin)
    return found


def shown_results() -> Select[Any]:
    """Results with the names of all that they refer to."""
    return (
        select(
            results,
            asset_table.c.blake3,
            signatures.c.digest,
            signatures.c.operator,
            signatures.c.operator_version,
            nodes.c.name.label("node_name"),
            runs.c.uuid,
            runs.c.version,
            pipeline_versions.c.number,
            pipelines.c.name.label("pipeline"),
            workers.c.name.label("worker"),
            workers.c.versions,
        )
        .join(asset_table, asset_table.c.id == results.c.asset)
        .join(signatures, signatures.c.id == results.c.signature)
        .join(nodes, nodes.c.id == results.c.node)
        .join(runs, runs.c.id == results.c.run)
        .join(workers, workers.c.id == runs.c.worker)
        .join(pipeline_versions, pipeline_versions.c.id == runs.c.version)
        .join(pipelines, pipelines.c.id == pipeline_versions.c.pipeline)
    )


def result_shape(row: Row[Any], refs: Iterable[ArtifactRef], origin: Origin, handled: bool) -> ResultShape:
    """A row of `shown_results` as it is shown."""
    return ResultShape(
        asset=asset_uuid(row.blake3),
        signature=row.digest.hex(),
        run=UUID(bytes=row.uuid),
        pipeline=row.pipeline,
        node=row.node_name,
        operator=row.operator,
        operator_version=row.operator_version,
        state=state_of(row.state),
        origin=origin,
        verdict=verdict_of(row.verdict),
        outputs=msgspec.json.decode(row.outputs),
        artifacts=[artifact_shape(ref) for ref in refs],
        duration_ms=row.duration_us / 1000,
        reason=None,
        error=error_shape(row),
        finished=iso(row.finished),
        produced_by=producer_shape(row),
        handled=handled and row.error_code is not None,
    )


def artifact_shape(ref: ArtifactRef) -> ArtifactShape:
    return ArtifactShape(name=ref.name, digest=ref.digest.hex(), media_type=ref.media_type, size=ref.size)


def error_shape(row: Row[Any]) -> ErrorShape | None:
    if row.error_code is None:
        return None
    code, message = row.error_code, row.error_message or ""
    return ErrorShape(code=code, message=message, retryable=is_retryable(code), cause=row.cause or UNSET)


def producer_shape(row: Row[Any]) -> ProducerShape:
    return ProducerShape(worker=row.worker, versions=msgspec.json.decode(row.versions))


def _signature_numbers(count: int) -> Select[tuple[int, bytes]]:
    return select(signatures.c.id, signatures.c.digest).where(any_of(signatures.c.digest, count))


def _wanted_results(assets_asked: int, signatures_asked: int) -> Select[Any]:
    at = results.c
    return select(
        at.asset, at.signature, at.state, at.verdict, at.outputs, at.error_code, at.error_message, at.duration_us
    ).where(any_of(at.asset, assets_asked), any_of(at.signature, signatures_asked))


def _artifacts_of(count: int) -> Select[Any]:
    at = result_artifacts.c
    return (
        select(at.asset, at.signature, at.name, artifacts.c.digest, artifacts.c.media_type, artifacts.c.size)
        .join(artifacts, artifacts.c.id == at.artifact)
        .where(any_of(at.asset, count))
        .order_by(at.asset, at.signature, at.name)
    )


def _walked_in(runs_asked: int, assets_asked: int) -> Select[tuple[int]]:
    here = select(runs.c.id).where(any_of(runs.c.uuid, runs_asked))
    return select(outcomes.c.asset).where(outcomes.c.run.in_(here), any_of(outcomes.c.asset, assets_asked))
