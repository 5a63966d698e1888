"""Removing what no current pipeline can use: results, derived files that nobody names, and leftovers.

Assets and locations stay; the outcomes of old runs go on demand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence, Set
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, exists, func, or_, select

from loom.store.artifacts import ArtifactFiles
from loom.store.database import Database
from loom.store.joining import remove_all_empty
from loom.store.statements import chunks
from loom.store.tables import (
    artifacts,
    outcomes,
    pipeline_versions,
    pipelines,
    result_artifacts,
    results,
    run_problems,
    runs,
    settled,
    signatures,
    steps,
)

_PART = 5000


class Live(NamedTuple):
    """What current pipelines use: signatures, and whole operators where a pipeline has no plan here, so that it is not
    known which of their results it needs."""

    signatures: Set[bytes]
    operators: Set[str] = frozenset()


class Pruned(NamedTuple):
    """How much was, or would be, removed. `bytes` are those of the files; `kept` are derived files that no result
    names, but that came too lately."""

    results: int
    artifacts: int
    files: int
    bytes: int
    kept: int


def prune(database: Database, blobs: Path, live: Live, *, grace_us: int, dry_run: bool = False) -> Pruned:
    """Removes what can be removed, or counts it. What runs of current versions have recorded counts as live too.
    `grace_us`: for how long derived files that no result names yet are left alone: a worker hands them in before it
    reports."""
    files = ArtifactFiles(blobs)
    before = time.time_ns() // 1000 - grace_us
    if dry_run:
        with database.read() as connection:
            dead = _dead_signatures(connection, live)
            named, kept = _unused(connection, dead, before)
            return _sum(_count_results(connection, dead), named, _strays(connection, files, before), kept)
    with files.lock(alone=True):
        with database.write() as connection:
            dead = _dead_signatures(connection, live)
            removed = _remove_results(connection, dead)
            named, kept = _unused(connection, [], before)
            for piece in chunks([number for number, _, _ in named]):
                connection.execute(delete(artifacts).where(artifacts.c.id.in_(piece)))
        for _, digest, _ in named:
            files.path(digest).unlink(missing_ok=True)
        with database.read() as connection:
            strays = _strays(connection, files, before)
        for path, _ in strays:
            path.unlink(missing_ok=True)
        files.sweep_locked()
    return _sum(removed, named, strays, kept)


def forget_outcomes(
    database: Database, before: int, *, dry_run: bool = False, stopped: Callable[[], bool] = lambda: False
) -> int:
    """What became of each asset in runs that ended before that time is forgotten, and what kept them from files, a part
    of a run at a time, so that nobody who writes waits for long; the runs stay with their counts, and all results.
    Returns how many outcomes of an asset that are. Between two parts `stopped` may end it."""
    kept = or_(exists().where(outcomes.c.run == runs.c.id), exists().where(run_problems.c.run == runs.c.id))
    with database.read() as connection:
        old = connection.execute(select(runs.c.id).where(runs.c.finished < before, kept)).scalars().all()
        if dry_run:
            counted = (select(func.count()).where(outcomes.c.run == run) for run in old)
            return sum(connection.execute(statement).scalar_one() for statement in counted)
    return sum(number for run in old for number in _forget_run(database, run, stopped))


def _forget_run(database: Database, run: int, stopped: Callable[[], bool]) -> Iterator[int]:
    part = select(outcomes.c.asset).where(outcomes.c.run == run).limit(_PART)
    while not stopped():
        with database.write() as connection:
            assets = connection.execute(part).scalars().all()
            if not assets:
                connection.execute(delete(run_problems).where(run_problems.c.run == run))
                return
            mine = delete(outcomes).where(outcomes.c.run == run, outcomes.c.asset == bindparam("one"))
            connection.execute(mine, [{"one": asset} for asset in assets])
        yield len(assets)


def _sum(
    removed: int, named: Sequence[tuple[int, bytes, int]], strays: Sequence[tuple[Path, int]], kept: int
) -> Pruned:
    size = sum(row[2] for row in named) + sum(row[1] for row in strays)
    return Pruned(removed, len(named), len(named) + len(strays), size, kept)


def _dead_signatures(connection: Connection, live: Live) -> list[int]:
    """Signatures that no current version of a pipeline uses."""
    recorded = (
        select(steps.c.signature)
        .join(runs, runs.c.steps == steps.c.list)
        .join(pipeline_versions, pipeline_versions.c.id == runs.c.version)
        .join(pipelines, pipelines.c.id == pipeline_versions.c.pipeline)
        .where(pipelines.c.current == pipeline_versions.c.number)
    )
    used = set(connection.execute(recorded).scalars())
    rows = connection.execute(select(signatures.c.id, signatures.c.digest, signatures.c.operator))
    return [
        number
        for number, digest, operator in rows
        if number not in used and digest not in live.signatures and operator not in live.operators
    ]


def _count_results(connection: Connection, dead: Sequence[int]) -> int:
    return sum(
        connection.execute(select(func.count()).where(results.c.signature.in_(set(piece)))).scalar_one()
        for piece in chunks(dead)
    )


def _remove_results(connection: Connection, dead: Sequence[int]) -> int:
    """Assets settled under a plan with such a signature are no longer: were its pipeline restored, they would be
    passed over without having their results. Nor are those settled under a digest that no run names: it may stand for
    some of the pipelines of any."""
    named = select(runs.c.plan).union(select(runs.c.settles))
    if dead:
        connection.execute(delete(settled).where(settled.c.plan.not_in(named)))
    removed = 0
    for piece in chunks(dead):
        plans = select(runs.c.plan).join(steps, steps.c.list == runs.c.steps).where(steps.c.signature.in_(piece))
        settles = select(runs.c.settles).join(steps, steps.c.list == runs.c.steps).where(steps.c.signature.in_(piece))
        connection.execute(delete(settled).where(or_(settled.c.plan.in_(plans), settled.c.plan.in_(settles))))
        connection.execute(delete(result_artifacts).where(result_artifacts.c.signature.in_(piece)))
        removed += connection.execute(delete(results).where(results.c.signature.in_(piece))).rowcount
    remove_all_empty(connection)
    return removed


def _unused(connection: Connection, dead: Sequence[int], before: int) -> tuple[list[tuple[int, bytes, int]], int]:
    """Derived files (number, digest, size) that no result names, those of `dead` signatures left out; and how many came
    too lately to be among them."""
    named = exists().where(result_artifacts.c.artifact == artifacts.c.id)
    if dead:
        named = named.where(result_artifacts.c.signature.not_in(dead))
    statement = select(artifacts.c.id, artifacts.c.digest, artifacts.c.size)
    rows = connection.execute(statement.where(artifacts.c.created <= before, ~named))
    late = select(func.count()).select_from(artifacts).where(artifacts.c.created > before, ~named)
    return [(number, digest, size) for number, digest, size in rows], connection.execute(late).scalar_one()


def _strays(connection: Connection, files: ArtifactFiles, before: int) -> list[tuple[Path, int]]:
    """Files (path, size) that have no row: of writers that were killed before they could commit."""
    found = []
    for digest, path in files.names():
        stat = path.stat()
        if stat.st_mtime_ns // 1000 > before:
            continue
        if connection.execute(select(artifacts.c.id).where(artifacts.c.digest == digest)).first() is None:
            found.append((path, stat.st_size))
    return found
