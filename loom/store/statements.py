"""Hot statements: built with Core, compiled once for each dialect, run with plain tuples.

That costs a third of what Core takes for dicts. Parameters are given in the order in which they stand in the statement
(for inserts: the order of the table's columns), as what the driver takes: int, bytes, str, None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    Connection,
    Dialect,
    Integer,
    Table,
    UniqueConstraint,
    Update,
    bindparam,
    literal_column,
    or_,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement, ColumnElement

from loom.store.tables import results
from loom.store.values import COMPLETED, FAILED

CHUNK = 512
"""Most values in one `IN`."""

T = TypeVar("T")
Row = tuple[Any, ...]
Build = Callable[..., ClauseElement]


def fetch(connection: Connection, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
    """Rows as the driver gives them."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql, tuple(parameters))
        return cursor.fetchall()  # type: ignore[return-value]
    finally:
        cursor.close()


def fetch_each(connection: Connection, build: Build, values: Sequence[Any], first: Row = ()) -> list[Row]:
    """The rows of the statement `build(count)` for all the values, asked for in pieces of `count` of them. Other
    parameters, those that stand `first`, are the same for each piece."""
    rows: list[Row] = []
    for piece in chunks(values):
        rows += fetch(connection, compiled(connection, build, len(piece)), (*first, *piece))
    return rows


def write_rows(connection: Connection, sql: str, rows: list[Row]) -> int:
    """Runs a statement once for each row; returns how many rows of the table it touched."""
    return connection.exec_driver_sql(sql, rows).rowcount if rows else 0


def compiled(connection: Connection, build: Build, *arguments: Any) -> str:
    """The text of the statement that `build(*arguments)` makes, made once."""
    return _compiled(connection.dialect.name, build, arguments)


def insert(connection: Connection, table: Table, rows: list[Row]) -> int:
    """Inserts rows (all columns but a number of their own); one that is there already stays as it is. Returns how many
    were new."""
    return write_rows(connection, _insert(connection.dialect.name, table, None), rows)


def upsert(
    connection: Connection,
    table: Table,
    rows: list[Row],
    *,
    keep: tuple[str, ...] = (),
    null: tuple[str, ...] = (),
) -> None:
    """Inserts rows, or updates all but their key and the columns to `keep`. Rows have no value for the columns that are
    `null`. A COMPLETED result gives way only to another COMPLETED one."""
    write_rows(connection, _insert(connection.dialect.name, table, keep, null), rows)


def change_rows(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Gives rows other values of the columns (of bytes); the number of the row stands last. One statement changes them
    all where that is quicker than one for each."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        write_rows(connection, compiled(connection, _change, table, columns), list(rows))
        return
    new = ", ".join(f"{column} = new.{column}" for column in columns)
    arrays = ", ".join(["%s::bytea[]"] * len(columns))
    given = f"unnest({arrays}, %s::bigint[]) AS new({', '.join(columns)}, id)"
    sql = f"UPDATE {table.name} SET {new} FROM {given} WHERE {table.name}.id = new.id"  # noqa: S608
    *columns_of, numbers = zip(*rows, strict=True)
    texts = (",".join([f'"\\\\x{value.hex()}"' for value in values]) for values in columns_of)
    connection.exec_driver_sql(sql, tuple(f"{{{text}}}" for text in (*texts, ",".join(map(str, numbers)))))


def _change(table: Table, columns: tuple[str, ...]) -> Update:
    changed = update(table).values({column: bindparam(f"new_{column}") for column in columns})
    return changed.where(table.c.id == bindparam("number"))


def chunks(values: Sequence[T]) -> Iterator[list[T]]:
    """The values in pieces, each with its last value repeated until their number is a power of two, so that few
    statements serve lists of any length."""
    for start in range(0, len(values), CHUNK):
        piece = list(values[start : start + CHUNK])
        size = 1 << (len(piece) - 1).bit_length()
        yield piece + piece[-1:] * (size - len(piece))


def any_of(column: ColumnElement[Any], count: int) -> ColumnElement[bool]:
    """`column IN (…)` with `count` parameters."""
    return column.in_([bindparam(None, type_=column.type) for _ in range(count)])


def constant(value: int) -> ColumnElement[int]:
    """A number that stands in the text of the statement instead of being a parameter."""
    return literal_column(str(value), Integer)


@cache
def _dialect(name: str) -> Dialect:
    if name == "sqlite":
        return sqlite.dialect(paramstyle="qmark")
    from sqlalchemy.dialects.postgresql import psycopg

    return psycopg.dialect(paramstyle="format")  # type: ignore[no-untyped-call]


@cache
def _compiled(dialect: str, build: Build, arguments: tuple[Any, ...]) -> str:
    return str(build(*arguments).compile(dialect=_dialect(dialect)))


@cache
def _insert(dialect: str, table: Table, keep: tuple[str, ...] | None, null: tuple[str, ...] = ()) -> str:
    statement = _insert_of(dialect)(table).inline()
    names = [column.name for column in table.columns if column.name != "id"]
    if keep is None:
        statement = statement.on_conflict_do_nothing()
    else:
        key = [column.name for column in _key_of(table)]
        new = {name: statement.excluded[name] for name in names if name not in key and name not in keep}
        gives_way = None
        if table is results:
            gives_way = or_(statement.excluded["state"] == constant(COMPLETED), results.c.state == constant(FAILED))
        statement = statement.on_conflict_do_update(index_elements=key, set_=new, where=gives_way)
    given = [name for name in names if name not in null]
    return str(statement.compile(dialect=_dialect(dialect), column_keys=given))


def _insert_of(dialect: str) -> Any:
    """The insert that knows what to do on conflict."""
    if dialect == "sqlite":
        return sqlite.insert
    from sqlalchemy.dialects import postgresql

    return postgresql.insert


def _key_of(table: Table) -> list[Column[Any]]:
    """What a row is found by when it is inserted again: its primary key, or what is unique beside its number."""
    if "id" not in table.columns:
        return list(table.primary_key.columns)
    unique = next(c for c in table.constraints if isinstance(c, UniqueConstraint))
    return list(unique.columns)
