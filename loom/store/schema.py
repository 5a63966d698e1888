"""The version of the tables: told by plain SQL, so that Alembic is imported only when there is something to migrate."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, text

from loom.errors import LoomError
from loom.store.turns import Turn, wait_for_turn

HEAD = "0014"
"""Revisions are numbered, so that an older Loom can tell that a database is newer than itself."""

_MIGRATIONS = Path(__file__).parent / "migrations"


def current_version(connection: Connection) -> str | None:
    """The revision of the database, None when it has no tables yet."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def is_current(connection: Connection) -> bool:
    """Whether the tables are those that this code knows. Raises `DATABASE_NEWER`."""
    version = current_version(connection)
    if version is not None and version > HEAD:
        raise LoomError(
            "DATABASE_NEWER",
            f"The database has tables of version {version}, this Loom knows {HEAD}: please update Loom.",
        )
    return version == HEAD


def upgrade(writer: Engine) -> None:
    """Brings the tables up to date in one transaction; does nothing when another process has done it meanwhile. Raises
    `CONFIG_INVALID` for an SQLite file of another program."""
    with writer.connect() as connection, connection.begin():
        wait_for_turn(connection, Turn.TABLES)
        if is_current(connection):
            return
        if connection.dialect.name == "sqlite" and not connection.dialect.has_table(connection, "alembic_version"):
            _create(connection)
        else:
            migrate(connection)


def migrate(connection: Connection) -> None:
    """Runs the migrations that are missing."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _create(connection: Connection) -> None:
    """What the migrations would make of an empty SQLite file, without the third of a second that it takes to import
    Alembic at the very first start. A test compares both."""
    from loom.store.tables import metadata

    if connection.dialect.get_table_names(connection):
        file = connection.engine.url.database
        raise LoomError("CONFIG_INVALID", f"{file} holds tables of another program: choose another file or move it.")
    metadata.create_all(connection, checkfirst=False)
    connection.execute(
        text(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
            " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
