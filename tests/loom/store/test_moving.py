"""A source that lies elsewhere is moved as a whole, however many folders it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ledgers import HOST, SilentBus, begin, found, report, toy_operators
from privatepg import PrivatePostgreSQL
from sqlalchemy import event

from loom.service import LocalLoom
from loom.sources import Source
from loom.store.database import Database


def statements_of_move(url: str, folder: Path, folders: int) -> list[bool]:
    """Of each statement whether it was run once for each of many rows. The move is looked at from both ends."""
    database = Database.open(url)
    loom = LocalLoom(database, folder / "blobs", SilentBus(), toy_operators())
    loom.save_source(Source(name="disk", host=HOST, path=b"/data"))
    places = [found(b"/data/\xff'\"\\%%{},%d/x.jpg" % number) for number in range(folders)]
    loom.report(begin(loom), [report("a", *places)])
    told: list[bool] = []

    def tell(connection: Any, cursor: Any, statement: Any, parameters: Any, context: Any, executemany: bool) -> None:
        told.append(executemany)

    event.listen(database._writer, "before_cursor_execute", tell)
    assert loom.move_source("disk", b"/mnt/disk") == folders
    event.remove(database._writer, "before_cursor_execute", tell)
    known = set(loom.known_directories(HOST, b"/mnt/disk"))
    assert known == {b"/mnt/disk/\xff'\"\\%%{},%d" % number for number in range(folders)}
    assert len(loom.known_files(HOST, sorted(known), b"plan")) == folders
    loom.close()
    return told


def test_many_folders_take_as_many_statements_as_few(url: str, tmp_path: Path) -> None:
    few = statements_of_move(f"{url}.few", tmp_path, 2)
    assert statements_of_move(f"{url}.many", tmp_path, 1500) == few


def test_one_statement_moves_them_on_a_server(postgresql: PrivatePostgreSQL, tmp_path: Path) -> None:
    few = statements_of_move(postgresql.emptied_database(), tmp_path, 2)
    many = statements_of_move(postgresql.emptied_database(), tmp_path, 1500)
    assert many == few
    assert not any(many)
