"""Failed results, grouped by cause."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Select, func, select

from loom.errors import is_retryable
from loom.model import asset_uuid
from loom.problems import FailureShape, NewestShape
from loom.steering import Selection
from loom.store import assets, runfailures, runs
from loom.store.handling import handled_nodes
from loom.store.outcomes import RunRow, run_row
from loom.store.runfailures import InRun
from loom.store.statements import chunks, constant
from loom.store.tables import assets as asset_table
from loom.store.tables import (
    directories,
    locations,
    nodes,
    pipeline_versions,
    pipelines,
    results,
    signatures,
)
from loom.store.tables import runs as run_table
from loom.store.values import FAILED, clean, iso, join_path, shown_path


class Failure(NamedTuple):
    """One failed result, and the node and pipeline that it counts for."""

    asset: int
    signature: int
    blake3: bytes
    run: bytes
    pipeline: str
    version: int
    node: str
    operator: str
    code: str
    message: str
    finished: int
    aside: bool
    cause: str


class Cause(NamedTuple):
    """What failures of one group have in common."""

    code: str | None
    node: str
    operator: str
    cause: str


class Group(NamedTuple):
    """Failures with the same cause: the newest, how many there are, and how many of them are set aside and handled."""

    newest: Failure
    total: int
    aside: int
    handled: int


def grouped(connection: Connection, selection: Selection) -> list[FailureShape]:
    """See `loom.verbs.Runs.failures`. A failure of a run that has been made good since is not counted."""
    run = selection.run
    groups = _of_all(connection, selection) if run is None else _of_run(connection, selection, run)
    paths = _paths(connection, [group.newest.asset for group in groups])
    shapes = [_shape(group, paths.get(group.newest.asset)) for group in groups]
    return sorted(shapes, key=lambda shape: (-shape.count, shape.code, shape.node, shape.operator, shape.cause))


def _of_all(connection: Connection, selection: Selection) -> list[Group]:
    """The newest of each group, and how many there are; counted by the database."""
    cause = (results.c.error_code, nodes.c.name, signatures.c.operator, results.c.cause)
    statement = failed(connection, selection)
    counts = (func.count(), func.count(results.c.aside), func.max(results.c.finished))
    rows = connection.execute(
        statement.with_only_columns(*cause, run_table.c.version, *counts).group_by(*cause, run_table.c.version)
    ).all()
    handled = handled_nodes(connection, (row.version for row in rows))
    counted: dict[Cause, tuple[int, int, int, int]] = {}
    for *key, version, count, aside, finished in rows:
        of = Cause(*key)
        former = counted.get(of, (0, 0, 0, 0))
        caught = count if of.node in handled[version] else 0
        counted[of] = (former[0] + count, former[1] + aside, former[2] + caught, max(former[3], finished))
    return [
        Group(_newest(connection, statement, of, finished), count, aside, caught)
        for of, (count, aside, caught, finished) in counted.items()
    ]


def _newest(connection: Connection, failed: Select[Any], of: Cause, finished: int) -> Failure:
    same = (
        results.c.error_code == of.code,
        nodes.c.name == of.node,
        signatures.c.operator == of.operator,
        results.c.cause == of.cause,
    )
    newest = failed.where(*same, results.c.finished == finished).order_by(results.c.asset.desc()).limit(1)
    return _failure(connection.execute(newest).one())


def _of_run(connection: Connection, selection: Selection, uuid: UUID) -> list[Group]:
    run = run_row(connection, runs.number_of(connection, uuid))
    groups: dict[Cause, list[int]] = {}
    newest: dict[Cause, InRun] = {}
    for piece in runfailures.pieces(connection, run, selection):
        for failure in piece.failures:
            cause = Cause(failure.code, failure.step.node, failure.step.operator, failure.cause)
            counted = groups.setdefault(cause, [0, 0])
            counted[0] += 1
            counted[1] += failure.aside
            if cause not in newest or failure.finished >= newest[cause].finished:
                newest[cause] = failure
    return [
        Group(_in_run(connection, run, newest[cause]), total, aside, total if cause.node in run.handled else 0)
        for cause, (total, aside) in groups.items()
    ]


def _in_run(connection: Connection, run: RunRow, one: InRun) -> Failure:
    """A failure as it counts for this run, whichever has stored it."""
    key = (results.c.asset == one.asset, results.c.signature == one.step.signature)
    row = connection.execute(failed(connection, Selection(aside=True)).where(*key)).one()
    return _failure(row)._replace(run=run.uuid.bytes, pipeline=run.pipeline, version=run.version, node=one.step.node)


def failed(connection: Connection, selection: Selection) -> Select[Any]:
    """Failed results, whichever run stored them."""
    statement = (
        select(
            results.c.asset,
            results.c.signature,
            asset_table.c.blake3,
            run_table.c.uuid,
            pipelines.c.name.label("pipeline"),
            pipeline_versions.c.number,
            nodes.c.name.label("node_name"),
            signatures.c.operator,
            results.c.error_code,
            results.c.error_message,
            results.c.finished,
            results.c.aside,
            results.c.cause,
        )
        .join(asset_table, asset_table.c.id == results.c.asset)
        .join(signatures, signatures.c.id == results.c.signature)
        .join(nodes, nodes.c.id == results.c.node)
        .join(run_table, run_table.c.id == results.c.run)
        .join(pipeline_versions, pipeline_versions.c.id == run_table.c.version)
        .join(pipelines, pipelines.c.id == pipeline_versions.c.pipeline)
        .where(results.c.state == constant(FAILED))
    )
    if selection.node is not None:
        statement = statement.where(nodes.c.name == clean(selection.node))
    if selection.code is not None:
        statement = statement.where(results.c.error_code == clean(selection.code))
    if selection.cause is not None:
        statement = statement.where(results.c.cause == clean(selection.cause))
    if selection.asset is not None:
        statement = statement.where(results.c.asset == assets.by_uuid(connection, selection.asset))
    if selection.since is not None:
        statement = statement.where(results.c.finished >= selection.since)
    if selection.until is not None:
        statement = statement.where(results.c.finished < selection.until)
    return statement if selection.aside else statement.where(results.c.aside.is_(None))


def _failure(row: Any) -> Failure:
    return Failure(
        row.asset,
        row.signature,
        row.blake3,
        row.uuid,
        row.pipeline,
        row.number,
        row.node_name,
        row.operator,
        row.error_code or "INTERNAL",
        row.error_message or "",
        row.finished,
        row.aside is not None,
        row.cause or "",
    )


def _shape(group: Group, path: bytes | None) -> FailureShape:
    newest = group.newest
    return FailureShape(
        code=newest.code,
        node=newest.node,
        operator=newest.operator,
        count=group.total,
        message=newest.message,
        newest=NewestShape(
            asset=asset_uuid(newest.blake3),
            path=None if path is None else shown_path(path),
            run=UUID(bytes=newest.run),
            time=iso(newest.finished),
        ),
        retryable=is_retryable(newest.code),
        aside=group.aside,
        handled=group.handled,
        cause=newest.cause,
    )


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
