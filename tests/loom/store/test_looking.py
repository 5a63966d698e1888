"""Looking at a database changes nothing on the disk, whatever state it is in."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest
from ledgers import HOST, begin, digest, found, report

from loom.errors import LoomError
from loom.store.database import Database
from loom.store.databaselock import hold_database


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


WRITER = """
from loom.store.databaselock import hold_database
with hold_database(folder / "loom.db", folder):
    loom = open_loom()
    run = begin(loom)
    n = 0
    print("ready")
    while not os.path.exists(folder / "end"):
        n += 1
        loom.report(run, [report(f"{n}-{k}", found(b"/d/%d-%d" % (n, k)), settled=True) for k in range(500)])
        if n % 3 == 0:
            with loom._database.write() as connection:
                connection.exec_driver_sql("UPDATE assets SET mime = hex(randomblob(40))")
"""


def _with_assets(loom, url):
    run = begin(loom)
    loom.report(run, [report(f"{n}", found(b"/data/%d" % n), settled=True) for n in range(5000)])
    loom.close()
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _count(looking):
    with looking.read() as connection:
        rows = connection.exec_driver_sql("SELECT assets.id FROM assets JOIN locations ON assets.id = asset").all()
        assert connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar() == "ok"
    return len(rows)


def test_a_writer_that_comes_while_one_looks_tears_nothing(loom, url, tmp_path, start):
    _with_assets(loom, url)
    with hold_database(tmp_path / "loom.db", tmp_path):
        pass
    looking = Database.open_readonly(url)
    assert _count(looking) == 5000
    writer = start(WRITER)
    assert writer.stdout.readline() == "ready\n"
    for _ in range(20):
        assert _count(looking) % 500 == 0
    assert looking._looking._scratch is not None, "the live file is no longer read"
    left = looking._looking._scratch.path
    (tmp_path / "end").touch()
    writer.wait()
    looking.close()
    assert not left.exists()


def test_a_look_beside_a_busy_writer_begins_at_once(loom, url, tmp_path, start, monkeypatch):
    """It is never begun again: SQLite copies one state in one step."""
    monkeypatch.setattr("loom.store.looking._copy_files", None)
    _with_assets(loom, url)
    writer = start(WRITER)
    assert writer.stdout.readline() == "ready\n"
    for _ in range(5):
        looking = Database.open_readonly(url)
        assert _count(looking) >= 5000
        looking.close()
    (tmp_path / "end").touch()
    writer.wait()


def test_what_was_written_between_two_looks_is_seen_whole(loom, url, tmp_path, reopen):
    _with_assets(loom, url)
    with hold_database(tmp_path / "loom.db", tmp_path):
        pass
    looking = Database.open_readonly(url)
    assert _count(looking) == 5000
    with hold_database(tmp_path / "loom.db", tmp_path):
        again = reopen()
        again.report(begin(again), [report(f"b{n}", found(b"/b/%d" % n)) for n in range(3000)])
        again.close()
    assert _count(looking) == 8000
    looking.close()
