"""What becomes of failed results: forgotten, so that they are tried again, or set aside."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, Delete, Update, bindparam, delete, select, update

from loom.steering import Place, Selection
from loom.store import runfailures, runs
from loom.store.failures import failed
from loom.store.outcomes import run_row
from loom.store.statements import chunks, compiled, constant, write_rows
from loom.store.tables import directories, locations, pipeline_versions, pipelines, results, settled
from loom.store.values import FAILED, PRESENT, join_path

_PIECE = 1000
"""Failures that are forgotten in one go."""


class Chosen(NamedTuple):
    """A failed result that something is to become of, and the pipeline that it counts for."""

    asset: int
    signature: int
    pipeline: str
    version: int


def places(connection: Connection, selection: Selection) -> list[Place]:
    """See `loom.verbs.Runs.failed_places`."""
    meant = _to_try_again(selection)
    if selection.run is None:
        return _places(connection, _all(connection, meant))
    found: list[Place] = []
    after: int | None = 0
    while after is not None:
        chosen, after = _piece(connection, meant, after)
        found += _places(connection, chosen)
    return found


def forget(connection: Connection, selection: Selection) -> list[Place]:
    """See `loom.verbs.Runs.forget`."""
    found: dict[Place, None] = {}
    after: int | None = 0
    while after is not None:
        places, after = forget_some(connection, selection, after)
        found.update(dict.fromkeys(places))
    return list(found)


def forget_some(connection: Connection, selection: Selection, after: int = 0) -> tuple[list[Place], int | None]:
    """As `forget`, but no more than a piece of all; also returns with which `after` to go on, None at the end."""
    chosen, following = _piece(connection, _to_try_again(selection), after)
    keys = sorted({(failure.asset, failure.signature) for failure in chosen})
    write_rows(connection, compiled(connection, _drop), keys)
    for piece in chunks(sorted({asset for asset, _ in keys})):
        connection.execute(delete(settled).where(settled.c.asset.in_(piece)))
    return _places(connection, chosen), following


def _to_try_again(selection: Selection) -> Selection:
    return selection._replace(aside=selection.aside or selection.asset is not None)


def _piece(connection: Connection, selection: Selection, after: int) -> tuple[list[Chosen], int | None]:
    """Some of the failures that are meant. Of all failures always the same, unless something becomes of them."""
    if selection.run is not None:
        run = run_row(connection, runs.number_of(connection, selection.run))
        for found in runfailures.pieces(connection, run, selection, after):
            return [Chosen(one.asset, one.step.signature, run.pipeline, run.version) for one in found.failures], (
                found.following
            )
        return [], None
    chosen = _all(connection, selection, _PIECE)
    return chosen, after if len(chosen) == _PIECE else None


def _all(connection: Connection, selection: Selection, most: int | None = None) -> list[Chosen]:
    columns = (results.c.asset, results.c.signature, pipelines.c.name, pipeline_versions.c.number)
    statement = failed(connection, selection).with_only_columns(*columns).limit(most)
    return [Chosen(*row) for row in connection.execute(statement)]


def _places(connection: Connection, chosen: list[Chosen]) -> list[Place]:
    """Where the assets lie: each is named once for each version of a pipeline and host, at its first present file."""
    at = _present(connection, sorted({failure.asset for failure in chosen}))
    pairs = {(failure.pipeline, failure.version, failure.asset): None for failure in chosen}
    return [
        Place(pipeline, host, path, version)
        for pipeline, version, asset in pairs
        for host, path in at.get(asset, {}).items()
    ]


def set_aside(connection: Connection, selection: Selection, now: int) -> int:
    """See `loom.verbs.Steering.set_aside`."""
    count = 0
    after: int | None = 0
    while after is not None:
        chosen, after = _piece(connection, selection._replace(aside=False), after)
        keys = sorted({(failure.asset, failure.signature) for failure in chosen})
        count += write_rows(connection, compiled(connection, _put_aside), [(now, *key) for key in keys])
    return count


def _put_aside() -> Update:
    marked = update(results).values(aside=bindparam("now"))
    key = (results.c.asset == bindparam("of"), results.c.signature == bindparam("under"))
    return marked.where(*key, results.c.state == constant(FAILED), results.c.aside.is_(None))


def _drop() -> Delete:
    """Another writer may have made the result good since it was read."""
    key = (results.c.asset == bindparam("of"), results.c.signature == bindparam("under"))
    return delete(results).where(*key, results.c.state == constant(FAILED))


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
