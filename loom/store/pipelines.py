"""Stored pipelines and their immutable versions."""

from __future__ import annotations

from typing import Any

import msgspec
from blake3 import blake3
from sqlalchemy import Connection, Row, Select, delete, exists, func, insert, select, update

from loom.errors import LoomError
from loom.shapes import Page, PipelineShape
from loom.store.statements import insert as ensure
from loom.store.tables import pipeline_versions as versions
from loom.store.tables import pipelines, runs
from loom.store.values import clean, cut_page, iso, key_of_cursor, page_size, to_json


def etag_of(definition: dict[str, Any]) -> str:
    """The digest of the definition in canonical JSON, 32 hexadecimal digits."""
    return blake3(to_json(definition).encode("utf-8")).hexdigest(16)


def is_first(connection: Connection) -> bool:
    """Whether no pipeline was ever saved, deleted ones included."""
    return connection.execute(select(pipelines.c.id).limit(1)).first() is None


def current(connection: Connection, name: str) -> PipelineShape:
    """The current version; raises `NOT_FOUND`."""
    row = connection.execute(_current().where(pipelines.c.name == clean(name))).first()
    if row is None:
        raise LoomError("NOT_FOUND", f"There is no pipeline named {name!r}.")
    return _shape(row)


def version(connection: Connection, name: str, number: int) -> PipelineShape:
    """One version, also of a pipeline that was deleted when runs refer to it; raises `NOT_FOUND`."""
    row = connection.execute(_versions().where(pipelines.c.name == clean(name), versions.c.number == number)).first()
    if row is None:
        raise LoomError("NOT_FOUND", f"There is no version {number} of a pipeline named {name!r}.")
    return _shape(row)


def page(connection: Connection, limit: int, cursor: str | None) -> Page[PipelineShape]:
    """Current versions by name."""
    statement = _current().order_by(pipelines.c.name).limit(page_size(limit) + 1)
    if (after := key_of_cursor(cursor, str)) is not None:
        statement = statement.where(pipelines.c.name > after[0])
    on_page, following = cut_page(connection.execute(statement).all(), limit, lambda row: (row.name,))
    return Page(items=[_shape(row) for row in on_page], next=following)


def all_versions(connection: Connection, name: str) -> list[PipelineShape]:
    """The versions of a pipeline, the newest first; raises `NOT_FOUND`."""
    current(connection, name)
    statement = _versions().where(pipelines.c.name == name).order_by(versions.c.number.desc())
    return [_shape(row) for row in connection.execute(statement)]


def save(connection: Connection, definition: dict[str, Any], if_match: str | None, now: int) -> PipelineShape:
    """Makes the definition the current version of the pipeline that it names; nothing happens when it is that
    already. The newest version that is kept becomes current if it says this already, as after a run of its file.
    Raises `VERSION_CONFLICT` when `if_match` is not the etag of the current version."""
    name, etag = definition["name"], etag_of(definition)
    pipeline, number = _next_number(connection, name)
    row = connection.execute(_current().where(pipelines.c.id == pipeline)).first()
    if if_match is not None and (row is None or not _fits(if_match, row.etag)):
        raise LoomError("VERSION_CONFLICT")
    if row is not None and row.etag == etag:
        return _shape(row)
    newest = connection.execute(_versions().where(versions.c.pipeline == pipeline, versions.c.number == number - 1))
    if (kept := newest.first()) is not None and kept.etag == etag:
        number = kept.number
    else:
        _add_version(connection, pipeline, number, definition, now)
    connection.execute(update(pipelines).values(current=number).where(pipelines.c.id == pipeline))
    return current(connection, name)


def record(connection: Connection, definition: dict[str, Any], now: int) -> int:
    """The number of the version that says this; if there is none, it is made, without becoming the current version:
    a definition that a run was given as a file is kept with the run, but not listed or matched."""
    pipeline, number = _next_number(connection, definition["name"])
    known = connection.execute(
        select(func.max(versions.c.number)).where(
            versions.c.pipeline == pipeline, versions.c.etag == etag_of(definition)
        )
    ).scalar()
    if known is not None:
        return int(known)
    _add_version(connection, pipeline, number, definition, now)
    return number


def remove(connection: Connection, name: str, if_match: str | None) -> None:
    """Deletes a pipeline. Versions that runs refer to are kept, and numbers are not given twice. Raises `NOT_FOUND`,
    and `VERSION_CONFLICT` when `if_match` is not the etag of the current version."""
    own = select(pipelines.c.id).where(pipelines.c.name == clean(name))
    connection.execute(own.with_for_update())
    there = current(connection, name)
    if if_match is not None and not _fits(if_match, there.etag):
        raise LoomError("VERSION_CONFLICT")
    pipeline = own.scalar_subquery()
    in_use = exists().where(runs.c.version == versions.c.id)
    connection.execute(delete(versions).where(versions.c.pipeline == pipeline, ~in_use))
    connection.execute(update(pipelines).values(current=None).where(pipelines.c.name == name))


def _fits(if_match: str, etag: str) -> bool:
    return if_match in ("*", etag)


def _next_number(connection: Connection, name: str) -> tuple[int, int]:
    """The pipeline's own number and that of its next version. Locks its row, which is made first when there is none,
    so that two who save at once come one after the other."""
    ensure(connection, pipelines, [(name, None, 0)])
    own = select(pipelines.c.id, pipelines.c.latest).where(pipelines.c.name == name).with_for_update()
    pipeline, latest = connection.execute(own).one()
    return pipeline, latest + 1


def _add_version(connection: Connection, pipeline: int, number: int, definition: dict[str, Any], now: int) -> None:
    written = {"definition": to_json(definition), "etag": etag_of(definition), "created": now}
    connection.execute(insert(versions).values(pipeline=pipeline, number=number, **written))
    connection.execute(update(pipelines).values(latest=number).where(pipelines.c.id == pipeline))


def _versions() -> Select[Any]:
    return select(pipelines.c.name, versions.c.number, versions.c.definition, versions.c.etag, versions.c.created).join(
        pipelines, pipelines.c.id == versions.c.pipeline
    )


def _current() -> Select[Any]:
    return _versions().where(versions.c.number == pipelines.c.current)


def _shape(row: Row[Any]) -> PipelineShape:
    definition = msgspec.json.decode(row.definition)
    return PipelineShape(
        name=row.name,
        version=row.number,
        enabled=definition.get("enabled", True),
        priority=definition.get("priority", 0),
        description=definition.get("description", ""),
        definition=definition,
        etag=row.etag,
        created=iso(row.created),
    )
