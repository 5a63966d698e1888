"""Looking at a database changes nothing on the disk, whatever state it is in."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest
from ledgers import HOST, begin, digest, found, report

from loom.errors import LoomError
from loom.store.database import Database


def test_looking_leaves_no_trace(loom, url, tmp_path, contents):
    begin(loom)
    loom.close()
    before = contents(tmp_path)
    looking = Database.open_readonly(url)
    with looking.read() as connection:
        assert connection.exec_driver_sql("SELECT name FROM pipelines").scalar() == "photos"
    with pytest.raises(LoomError) as refused, looking.write():
        pass
    assert refused.value.code == "INTERNAL"
    looking.close()
    assert contents(tmp_path) == before


def test_looking_at_a_database_in_use_sees_its_wal(loom, tmp_path, contents):
    run = begin(loom)
    loom.report(run, [report("a", found(b"/data/a"), settled=True)])
    left = tmp_path / "left"
    left.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(tmp_path / f"loom.db{suffix}", left / f"loom.db{suffix}")
    before = contents(left)
    looking = Database.open_readonly(f"sqlite:///{left}/loom.db")
    with looking.read() as connection:
        assert connection.exec_driver_sql("SELECT blake3 FROM assets").scalar() == digest("a")
    looking.close()
    assert contents(left) == before
    assert loom.known_directories(HOST, b"/") == [b"/data"]


def test_looking_where_nothing_is(tmp_path, contents):
    before = contents(tmp_path)
    looking = Database.open_readonly(f"sqlite:///{tmp_path}/none/loom.db")
    with looking.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM assets").scalar() == 0
    looking.close()
    assert contents(tmp_path) == before


def test_looking_at_an_older_database(tmp_path, contents):
    """One without tables stands for all that need migrating."""
    with closing(sqlite3.connect(tmp_path / "loom.db")) as connection:
        connection.execute("PRAGMA user_version = 7")
    before = contents(tmp_path)
    looking = Database.open_readonly(f"sqlite:///{tmp_path}/loom.db")
    with looking.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM assets").scalar() == 0
    looking.close()
    assert contents(tmp_path) == before
