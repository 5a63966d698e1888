"""One database, one data folder: which folder has its derived files."""

from __future__ import annotations

import platform

from sqlalchemy import exists, select

from loom.errors import LoomError
from loom.store.database import Database
from loom.store.datafolder import DataFolder
from loom.store.facts import fact, held_fact, set_fact
from loom.store.tables import artifacts

_FACT = "data folder"


def claim_files(database: Database, folder: DataFolder) -> None:
    """Makes sure that the derived files of the database are kept in this data folder; the caller holds both. The folder
    has a name of its own that goes with it when it is moved or copied, and the database remembers it. Raises
    `CONFIG_INVALID` when there are derived files in another; a database inside the folder is always its own."""
    name, path = folder.identity(), folder.path
    with database.read() as connection:
        known = fact(connection, _FACT)
    if known is not None and known.partition(" ")[0] == name:
        return
    mine = f"{name} {platform.node()}:{path.absolute()}"
    with database.write() as connection:
        known = held_fact(connection, _FACT, mine)
        has_files = connection.execute(select(exists().where(artifacts.c.id.is_not(None)))).scalar()
        if known == mine:
            return
        if has_files and not (database.path is not None and database.path.parent.samefile(path)):
            other, _, where = known.partition(" ")
            raise LoomError(
                "CONFIG_INVALID",
                f"The derived files of this database are in the data folder {where}: set LOOM_DATA_DIR to it, or copy"
                f" its `blobs` to {path} and write {other} into {path / 'id'}",
            )
        set_fact(connection, _FACT, mine)
