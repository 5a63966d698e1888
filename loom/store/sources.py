"""Folders that are known by a name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row, and_, delete, func, insert, literal, select, union_all, update

from loom.errors import LoomError
from loom.sources import SOURCE_NAME, Marker, MarkerShape, Source, SourceOptions, SourceShape, check_patterns
from loom.store import pipelines
from loom.store.locations import at_or_below
from loom.store.tables import directories, locations, sources
from loom.store.values import PRESENT, b64_unless_shown, clean, directory_key, iso, shown_path, split_path, to_json

_STATES: tuple[Literal["unknown", "reachable", "unreachable"], ...] = ("unknown", "reachable", "unreachable")
"""`sources.state` is the index here."""
_UNKNOWN, _REACHABLE, _UNREACHABLE = range(3)

_AT_ONCE = 100
"""Of how many sources the files are counted in one statement."""


def listed(connection: Connection, host: str | None) -> list[SourceShape]:
    """By name."""
    statement = select(sources).order_by(sources.c.name)
    if host is not None:
        statement = statement.where(sources.c.host == clean(host))
    return _shapes(connection, connection.execute(statement).all())


def one(connection: Connection, name: str) -> SourceShape:
    """Raises `NOT_FOUND`."""
    return _shapes(connection, [row_of(connection, name)])[0]


def row_of(connection: Connection, name: str, *, lock: bool = False) -> Row[Any]:
    """Raises `NOT_FOUND`."""
    statement = select(sources).where(sources.c.name == clean(name))
    row = connection.execute(statement.with_for_update() if lock else statement).first()
    if row is None:
        raise LoomError("NOT_FOUND", f"There is no source named {name!r}.")
    return row


def save(connection: Connection, source: Source, now: int) -> None:
    """Raises `SOURCE_EXISTS`, `REQUEST_INVALID`, `NOT_FOUND` as `loom.verbs.Sources.save_source`."""
    if not re.fullmatch(SOURCE_NAME, source.name):
        raise LoomError(
            "REQUEST_INVALID", "A source's name is made of a-z, 0-9, - and _, and begins with a letter or digit."
        )
    if not source.host:
        raise LoomError("REQUEST_INVALID", "A source lies on a host.")
    check_patterns(source.options)
    path = plain_path(source.path)
    if source.options.pipeline is not None:
        pipelines.current(connection, source.options.pipeline)
    key = directory_key(source.host, path)
    same = connection.execute(select(sources.c.name, sources.c.key).where(sources.c.name == source.name)).first()
    if same is not None and same.key != key:
        raise LoomError("SOURCE_EXISTS", f"The source {source.name!r} is another folder.")
    kept = {"options": to_json(source.options), **_marker_columns(source.marker)}
    if same is not None:
        connection.execute(update(sources).where(sources.c.name == source.name).values(kept))
        return
    refuse_taken(connection, [key])
    named = {"name": source.name, "key": key, "host": clean(source.host), "path": path}
    connection.execute(insert(sources).values(**named, **kept, state=_UNKNOWN, created=now))


def refuse_taken(connection: Connection, keys: Sequence[bytes]) -> None:
    """Raises `SOURCE_EXISTS` if there are sources with these keys."""
    taken = connection.execute(select(sources.c.name).where(sources.c.key.in_(keys)).limit(1)).scalar()
    if taken is not None:
        raise LoomError("SOURCE_EXISTS", f"There lies the source {taken!r}.")


def remove(connection: Connection, name: str) -> None:
    """Raises `NOT_FOUND`."""
    row = row_of(connection, name, lock=True)
    connection.execute(delete(sources).where(sources.c.id == row.id))


def note_seen(connection: Connection, name: str, reachable: bool, now: int) -> None:
    """Raises `NOT_FOUND`."""
    row = row_of(connection, name, lock=True)
    state, away = (_REACHABLE, None) if reachable else (_UNREACHABLE, row.away or now)
    connection.execute(update(sources).where(sources.c.id == row.id).values(state=state, seen=now, away=away))


def plain_path(path: bytes) -> bytes:
    """The path without empty parts. Raises `REQUEST_INVALID` for one that means something else elsewhere."""
    parts = [part for part in path.split(b"/") if part]
    if not path.startswith(b"/") or b"\0" in path or b".." in parts or b"." in parts:
        raise LoomError("REQUEST_INVALID", "A source's path begins with a slash, and has no part named . or ..")
    return b"/" + b"/".join(parts)


def _marker_columns(marker: Marker | None) -> dict[str, Any]:
    if marker is None:
        return {"marker_kind": None, "marker_id": None, "marker_inside": None}
    return {"marker_kind": marker.kind, "marker_id": clean(marker.id), "marker_inside": marker.inside}


def _shapes(connection: Connection, rows: Sequence[Row[Any]]) -> list[SourceShape]:
    files: dict[int, int] = {}
    for start in range(0, len(rows), _AT_ONCE):
        files |= _files(connection, rows[start : start + _AT_ONCE])
    return [_shape(row, files[row.id]) for row in rows]


def _files(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, int]:
    """How many files are present at or below each of these sources."""
    counts = []
    for row in rows:
        lying = select(func.count()).select_from(locations.join(directories)).where(locations.c.state == PRESENT)
        directory, name = split_path(row.path)
        below = lying.where(*at_or_below(row.host, row.path)).scalar_subquery()
        itself = and_(directories.c.key == directory_key(row.host, directory), locations.c.name == name)
        counts.append(select(literal(row.id), below + lying.where(itself).scalar_subquery()))
    return dict(connection.execute(union_all(*counts)).all()) if counts else {}


def _shape(row: Row[Any], files: int) -> SourceShape:
    shown = shown_path(row.path)
    return SourceShape(
        name=row.name,
        host=row.host,
        path=shown,
        path_b64=b64_unless_shown(row.path, shown),
        options=msgspec.json.decode(row.options, type=SourceOptions),
        marker=_marker_shape(row),
        state=_STATES[row.state],
        seen=None if row.seen is None else iso(row.seen),
        created=iso(row.created),
        files=files,
    )


def _marker_shape(row: Row[Any]) -> MarkerShape | None:
    if row.marker_kind is None:
        return None
    shown = shown_path(row.marker_inside)
    inside_b64 = b64_unless_shown(row.marker_inside, shown)
    return MarkerShape(kind=row.marker_kind, id=row.marker_id, inside=shown, inside_b64=inside_b64)
