"""A new SQLite file is made at once, as the migrations would have made it."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from loom.errors import LoomError
from loom.store import schema
from loom.store.database import Database
from loom.store.engines import make_writer, parse_url


def made(path: Path, make: Any) -> dict[str, Any]:
    """All that SQLite knows of the tables that `make` makes, whatever the order of their columns."""
    writer = make_writer(parse_url(f"sqlite:///{path}"), 1.0)
    make(writer)
    writer.dispose()
    with closing(sqlite3.connect(path)) as database:

        def rows(statement: str) -> list[Any]:
            return database.execute(statement).fetchall()

        found: dict[str, Any] = {"version": rows("SELECT version_num FROM alembic_version")}
        for (name,) in rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
            indexes = [
                (row[2:5], rows(f"SELECT name FROM pragma_index_info('{row[1]}')"))
                for row in rows(f"PRAGMA index_list({name})")
            ]
            found[name] = (
                sorted(row[1:6] for row in rows(f"PRAGMA table_info({name})")),
                sorted(row[2:] for row in rows(f"PRAGMA foreign_key_list({name})")),
                sorted(indexes),
                rows(f"SELECT sql LIKE '%WITHOUT ROWID%' FROM sqlite_master WHERE name = '{name}'"),
            )
        conditions = rows("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'")
        found["conditions"] = sorted((name, sql.partition(" WHERE ")[2]) for name, sql in conditions)
        found["triggers"] = sorted(rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        return found


def migrated(writer: Any) -> None:
    with writer.connect() as connection, connection.begin():
        schema.migrate(connection)


def test_a_new_file_has_exactly_the_tables_of_the_migrations(tmp_path: Path) -> None:
    at_once = made(tmp_path / "once.db", schema.upgrade)
    assert len(at_once) > 20
    assert at_once == made(tmp_path / "migrated.db", migrated)


def test_a_new_file_is_made_without_alembic(tmp_path: Path) -> None:
    code = (
        "import sys; from loom.store.database import Database;"
        f" Database.open('sqlite:///{tmp_path}/loom.db').close(); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_file_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "photos.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE assets (path TEXT)")
    with pytest.raises(LoomError, match="holds tables of another program") as raised:
        Database.open(f"sqlite:///{path}")
    assert raised.value.code == "CONFIG_INVALID"
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("assets",)]
