"""Failed results: grouped by cause, and forgotten so that they are tried again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Delete, Select, bindparam, delete, func, select

from loom.errors import is_retryable
from loom.model import asset_uuid
from loom.shapes import FailureShape, NewestShape
from loom.store import assets, runs
from loom.store.outcomes import has_failed, results_of, run_row, walk
from loom.store.statements import chunks, compiled, write_rows
from loom.store.tables import assets as asset_table
from loom.store.tables import (
    directories,
    locations,
    nodes,
    pipeline_versions,
    pipelines,
    results,
    settled,
    signatures,
)
from loom.store.tables import runs as run_table
from loom.store.values import FAILED, PRESENT, iso, join_path, shown_path
from loom.verbs import Place, Selection


class Failure(NamedTuple):
    """One failed result, and the node and pipeline that it counts for."""

    asset: int
    signature: int
    blake3: bytes
    run: bytes
    pipeline: str
    node: str
    operator: str
    code: str
    message: str
    finished: int


def grouped(connection: Connection, selection: Selection) -> list[FailureShape]:
    """See `loom.verbs.Runs.failures`. A failure of a run that has been made good since is not counted."""
    groups = _of_run(connection, selection) if selection.run is not None else _of_all(connection, selection)
    paths = _paths(connection, [newest.asset for newest, _ in groups])
    shapes = [_shape(newest, count, paths.get(newest.asset)) for newest, count in groups]
    return sorted(shapes, key=lambda shape: (-shape.count, shape.code, shape.node, shape.operator))


def forget(connection: Connection, selection: Selection) -> list[Place]:
    """See `loom.verbs.Runs.forget`. Each asset is named once for each pipeline and host, at its first present file."""
    chosen = list(_selected(connection, selection))
    write_rows(
        connection, compiled(connection, _drop), sorted({(failure.asset, failure.signature) for failure in chosen})
    )
    numbers = sorted({failure.asset for failure in chosen})
    for piece in chunks(numbers):
        connection.execute(delete(settled).where(settled.c.asset.in_(piece)))
    at = _present(connection, numbers)
    pairs = {(failure.pipeline, failure.asset): None for failure in chosen}
    return [Place(pipeline, host, path) for pipeline, asset in pairs for host, path in at.get(asset, {}).items()]


def _drop() -> Delete:
    return delete(results).where(results.c.asset == bindparam("of"), results.c.signature == bindparam("under"))


def _of_all(connection: Connection, selection: Selection) -> list[tuple[Failure, int]]:
    """The newest of each group, and how many there are; counted by the database."""
    cause = (results.c.error_code, nodes.c.name, signatures.c.operator)
    statement = _failed(connection, selection)
    counted = connection.execute(
        statement.with_only_columns(*cause, func.count(), func.max(results.c.finished)).group_by(*cause)
    ).all()
    groups = []
    for code, node, operator, count, finished in counted:
        newest = connection.execute(
            statement.where(
                results.c.error_code == code,
                nodes.c.name == node,
                signatures.c.operator == operator,
                results.c.finished == finished,
            )
            .order_by(results.c.asset.desc())
            .limit(1)
        ).one()
        groups.append((_failure(newest), count))
    return groups


def _of_run(connection: Connection, selection: Selection) -> list[tuple[Failure, int]]:
    groups: dict[tuple[str, str, str], tuple[Failure, int]] = {}
    for failure in _selected(connection, selection):
        cause = (failure.code, failure.node, failure.operator)
        newest, count = groups.get(cause, (failure, 0))
        if failure.finished >= newest.finished:
            newest = failure
        groups[cause] = (newest, count + 1)
    return list(groups.values())


def _selected(connection: Connection, selection: Selection) -> Iterator[Failure]:
    if selection.run is None:
        yield from (_failure(row) for row in connection.execute(_failed(connection, selection)).all())
        return
    run = run_row(connection, runs.number_of(connection, selection.run))
    only = None if selection.asset is None else assets.by_uuid(connection, selection.asset)
    failed = [
        (walked, run.steps[walked.position])
        for walked in walk(connection, run.id, only_failed=True)
        if has_failed(walked.outcome) and only in (None, walked.asset)
    ]
    for start in range(0, len(failed), 512):
        piece = failed[start : start + 512]
        numbers = sorted({walked.asset for walked, _ in piece})
        stored = results_of(connection, numbers, sorted({step.signature for _, step in piece}))
        for walked, step in piece:
            row = stored.get((walked.asset, step.signature))
            if row is None or row.state != FAILED:
                continue
            if selection.node in (None, step.node) and selection.code in (None, row.error_code):
                yield _failure(row)._replace(run=run.uuid.bytes, pipeline=run.pipeline, node=step.node)


def _failed(connection: Connection, selection: Selection) -> Select[Any]:
    """Failed results, whichever run stored them."""
    statement = (
        select(
            results.c.asset,
            results.c.signature,
            asset_table.c.blake3,
            run_table.c.uuid,
            pipelines.c.name.label("pipeline"),
            nodes.c.name.label("node_name"),
            signatures.c.operator,
            results.c.error_code,
            results.c.error_message,
            results.c.finished,
        )
        .join(asset_table, asset_table.c.id == results.c.asset)
        .join(signatures, signatures.c.id == results.c.signature)
        .join(nodes, nodes.c.id == results.c.node)
        .join(run_table, run_table.c.id == results.c.run)
        .join(pipeline_versions, pipeline_versions.c.id == run_table.c.version)
        .join(pipelines, pipelines.c.id == pipeline_versions.c.pipeline)
        .where(results.c.state == FAILED)
    )
    if selection.node is not None:
        statement = statement.where(nodes.c.name == selection.node)
    if selection.code is not None:
        statement = statement.where(results.c.error_code == selection.code)
    if selection.asset is not None:
        statement = statement.where(results.c.asset == assets.by_uuid(connection, selection.asset))
    return statement


def _failure(row: Any) -> Failure:
    return Failure(
        row.asset,
        row.signature,
        row.blake3,
        row.uuid,
        row.pipeline,
        row.node_name,
        row.operator,
        row.error_code or "INTERNAL",
        row.error_message or "",
        row.finished,
    )


def _shape(newest: Failure, count: int, path: bytes | None) -> FailureShape:
    return FailureShape(
        code=newest.code,
        node=newest.node,
        operator=newest.operator,
        count=count,
        message=newest.message,
        newest=NewestShape(
            asset=asset_uuid(newest.blake3),
            path=None if path is None else shown_path(path),
            run=UUID(bytes=newest.run),
            time=iso(newest.finished),
        ),
        retryable=is_retryable(newest.code),
    )


def _present(connection: Connection, numbers: list[int]) -> dict[int, dict[str, bytes]]:
    """Of each asset the first present file on each host."""
    found: dict[int, dict[str, bytes]] = {}
    for piece in chunks(numbers):
        statement = (
            select(locations.c.asset, directories.c.host, directories.c.path, locations.c.name)
            .join(directories, directories.c.id == locations.c.directory)
            .where(locations.c.asset.in_(piece), locations.c.state == PRESENT)
            .order_by(locations.c.asset, directories.c.path, locations.c.name)
        )
        for asset, host, directory, name in connection.execute(statement):
            found.setdefault(asset, {}).setdefault(host, join_path(directory, name))
    return found


def _paths(connection: Connection, numbers: list[int]) -> dict[int, bytes]:
    """A path of each asset, of a file that is present if there is one."""
    found: dict[int, bytes] = {}
    for piece in chunks(sorted(set(numbers))):
        statement = (
            select(locations.c.asset, directories.c.path, locations.c.name)
            .join(directories, directories.c.id == locations.c.directory)
            .where(locations.c.asset.in_(piece))
            .order_by(locations.c.asset, locations.c.state, directories.c.path, locations.c.name)
        )
        for asset, directory, name in connection.execute(statement):
            found.setdefault(asset, join_path(directory, name))
    return found
