from __future__ import annotations

import sqlite3
import sys
import threading
from contextlib import closing

import pytest
from ledgers import SilentBus, begin, found, report, toy_operators
from sqlalchemy import select, text

from loom.errors import LoomError
from loom.service import LocalLoom
from loom.steering import AssetQuery
from loom.store import facets, forecast, grid, history, schema
from loom.store.database import Database
from loom.store.engines import make_writer, parse_url
from loom.store.fitting import is_present
from loom.store.tables import asset_traits, assets, metadata


def own(name, *_) -> bool:
    """Not what stands for the index of words, which each database has in its own way."""
    return not (name or "").startswith("asset_texts_")


def differences(database: Database) -> list[object]:
    """Between the tables that the migrations made and those that the code knows."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with database.read() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"include_name": own}), metadata))


def set_version(path, version: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))


def code_of(call) -> str:
    with pytest.raises(LoomError) as refused:
        call()
    return refused.value.code


def test_migrations_make_the_tables_that_the_code_knows(url):
    database = Database.open(url)
    assert differences(database) == []
    with database.read() as connection:
        assert schema.current_version(connection) == schema.HEAD
        made = dict(connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'table'").all())
        for table in metadata.tables.values():
            rowless = table.dialect_options["sqlite"]["with_rowid"] is False
            assert ("WITHOUT ROWID" in made[table.name]) is rowless
    database.close()


def test_migrations_on_postgresql(postgresql):
    url = postgresql.new_database()
    database = Database.open(url)
    assert differences(database) == []
    database.close()
    assert code_of(lambda: Database.open(url.replace("/loom", "/absent"))) == "DATABASE_UNREACHABLE"
    looking = Database.open_readonly(url)
    with looking.read() as connection, pytest.raises(Exception, match="read-only"):
        connection.execute(text("DELETE FROM facts"))
    looking.close()


def test_two_processes_that_migrate_at_once(postgresql, url):
    for each in (url, postgresql.new_database()):
        opened: list[Database] = []
        threads = [threading.Thread(target=lambda each=each, to=opened: to.append(Database.open(each)))
                   for _ in range(3)]  # fmt: skip
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(opened) == 3
        for database in opened:
            database.close()


def test_sqlite_is_opened_as_it_should_be(url):
    database = Database.open(url)
    with database.write() as connection:
        told = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys")}  # fmt: skip
    assert told == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    with pytest.raises(LoomError), database.read() as connection:
        connection.exec_driver_sql("DELETE FROM facts")
    database.close()


def test_an_older_database_is_brought_up_to_date_or_refused(url, tmp_path):
    assert code_of(lambda: Database.open(url, migrate=False)) == "DATABASE_OUTDATED"
    assert not (tmp_path / "loom.db").exists()
    sqlite3.connect(tmp_path / "loom.db").close()
    assert code_of(lambda: Database.open(url, migrate=False)) == "DATABASE_OUTDATED"
    Database.open(url).close()
    Database.open(url, migrate=False).close()


def test_a_newer_database_is_refused_with_a_sentence(url, tmp_path):
    Database.open(url).close()
    set_version(tmp_path / "loom.db", "9999")
    for opening in (Database.open, Database.open_readonly):
        with pytest.raises(LoomError, match="9999") as refused:
            opening(url)
        assert refused.value.code == "DATABASE_NEWER"


def test_a_damaged_database(url, tmp_path):
    (tmp_path / "loom.db").write_bytes(b"this is no database, whatever it is called" * 100)
    assert code_of(lambda: Database.open(url)) == "DATABASE_DAMAGED"
    assert code_of(lambda: Database.open_readonly(url)) == "DATABASE_DAMAGED"


def test_damage_met_on_the_way(loom, url, tmp_path):
    run = begin(loom)
    loom.report(run, [report(str(n), found(b"/d/%d" % n)) for n in range(500)])
    loom.close()
    size = (tmp_path / "loom.db").stat().st_size
    with (tmp_path / "loom.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    assert code_of(lambda: Database.open(url)) == "DATABASE_DAMAGED"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("sqlite:////nowhere/at/all/loom.db", "DATABASE_UNREACHABLE"),
        ("sqlite://", "CONFIG_INVALID"),
        ("sqlite:///:memory:", "CONFIG_INVALID"),
        ("mysql://x/y", "CONFIG_INVALID"),
        ("no url", "CONFIG_INVALID"),
        ("postgres://loom@/loom?host=/nowhere", "DATABASE_UNREACHABLE"),
    ],
)
def test_databases_that_cannot_be_opened(url, code):
    assert code_of(lambda: Database.open(url)) == code


def test_postgresql_without_its_driver(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert code_of(lambda: Database.open("postgresql://loom@/loom")) == "EXTRA_MISSING"


def test_another_process_that_holds_the_database(loom, url, start):
    other = start("""
loom = open_loom()
with loom._database.write() as connection:
    print("held"); sys.stdin.readline()
""")
    assert other.stdout.readline() == "held\n"
    impatient = Database.open(url, busy_seconds=0.1)
    assert loom.assets().items == []
    with pytest.raises(LoomError) as busy, impatient.write():
        pass
    assert busy.value.code == "DATABASE_BUSY"
    other.communicate("go on\n")
    with impatient.write():
        pass
    impatient.close()


def test_a_long_write_of_the_same_process(url):
    database = Database.open(url, busy_seconds=0.1)
    with database.write(), pytest.raises(LoomError) as busy, database.write():
        pass
    assert busy.value.code == "DATABASE_BUSY"
    database.close()


def test_an_error_undoes_the_whole_transaction(url):
    database = Database.open(url)

    def write_and_fail() -> None:
        with database.write() as connection:
            connection.exec_driver_sql("INSERT INTO facts VALUES ('a', 'b')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM facts").scalar() == 0
    database.close()


def test_a_reader_sees_one_state_throughout(loom):
    run = begin(loom)
    database = loom._database
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM assets").scalar() == 0
        loom.report(run, [report("a")])
        assert connection.exec_driver_sql("SELECT count(*) FROM assets").scalar() == 0
    assert len(loom.assets().items) == 1


def test_two_processes_write_side_by_side(loom, start):
    code = """
loom = open_loom()
run = begin(loom)
for n in range(30):
    loom.report(run, [report(f"{sys.stdin.readline() if n == 0 else ''}{os.getpid()}-{n}", found(b"/d/%d-%d" % (os.getpid(), n)))])
loom.finish_run(closing(run))
loom.close()
print("done")
"""  # noqa: E501
    others = [start(code) for _ in range(2)]
    for other in others:
        assert other.communicate("\n", timeout=60)[0] == "done\n"
    assert len(loom.assets(limit=500).items) == 60
    assert [str(run.state) for run in loom.runs().items] == ["COMPLETED"] * 2


def test_alembic_is_imported_only_to_migrate(loom, start):
    output, _ = start("""
open_loom().close()
slow = {"alembic", "fastapi", "uvicorn", "numpy", "PIL", "av", "httpx", "jsonschema", "pydantic", "tarfile", "psycopg"}
print(sorted(slow & set(sys.modules)))
""").communicate(timeout=60)
    assert output == "[]\n"


def test_a_full_disk_leaves_nothing_half_written(loom, start):
    """The limit on the size of files stands for the disk: SQLite meets it in the middle of a transaction."""
    loom.close()
    output, _ = start("""
loom = open_loom()
run = begin(loom)
loom.report(run, [report("before")])
size = os.stat(folder / "loom.db-wal").st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 300_000, resource.RLIM_INFINITY))
try:
    for n in range(200):
        loom.report(run, [report(f"{n}-{k}", found(b"/d/%d-%d" % (n, k)), results=[done(0, b'{"x":"%s"}' % (b"y" * 5000))])
                          for k in range(40)])
        print(n)
except LoomError as error:
    print(error.code)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
loom.report(run, [report("after")])
loom.close()
""").communicate(timeout=60)  # noqa: E501
    *batches, code = output.split()
    assert code == "DISK_FULL"
    again = Database.open(str(loom._database._url.render_as_string()))
    with again.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        assets = connection.exec_driver_sql("SELECT count(*) FROM assets").scalar()
        results = connection.exec_driver_sql("SELECT count(*) FROM results").scalar()
    assert (assets, results) == (2 + 40 * len(batches), 40 * len(batches))
    again.close()


def test_what_was_stored_before_runs_were_steered_stays(url, tmp_path):
    """A database of the first tables, filled as it was then."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(schema._MIGRATIONS))
    writer = make_writer(parse_url(url), 1.0)
    with writer.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    writer.dispose()
    outputs = '{"camera_model":"D70","captured_at":"2005-01-01"}'
    with closing(sqlite3.connect(tmp_path / "loom.db")) as connection, connection:
        connection.executescript(f"""
            INSERT INTO pipelines VALUES (1, 'p', 1, 1);
            INSERT INTO pipeline_versions VALUES (1, 1, 1, '{{"graph": {{}}}}', 'e', 1);
            INSERT INTO plans VALUES (1, x'01');
            INSERT INTO nodes VALUES (1, 'metadata');
            INSERT INTO signatures VALUES (1, x'02', 'media.metadata', '1');
            INSERT INTO step_lists VALUES (1, x'03');
            INSERT INTO steps VALUES (1, 0, 1, 1);
            INSERT INTO workers VALUES (1, x'04', 'w', '{{}}', 'here', 1);
            INSERT INTO runs VALUES (1, x'{"05" * 16}', 1, 1, 'here', 1, 1, 1, 1, 1, 2, '{{}}', '{{}}', 0, x'');
            INSERT INTO assets VALUES (7, x'{"06" * 32}', 1, 'image/jpeg', 'image', 1);
            INSERT INTO assets VALUES (9, x'{"07" * 32}', 1, 'image/jpeg', 'image', 1);
            INSERT INTO results VALUES (9, 1, 1, 1, 1, 0, '{outputs}', NULL, NULL, 1, 1);
            INSERT INTO outcomes VALUES (1, 9, x'{"00" * 8}', 0), (1, 7, x'{"00" * 8}', 0);
        """)
    loom = LocalLoom(Database.open(url), tmp_path / "blobs", SilentBus(), toy_operators())
    (run,) = loom.runs().items
    assert [row[0].bytes[:1] for row in loom.run_grid(run.uuid).rows] == [b"\x06", b"\x07"]
    assert loom.facets(AssetQuery()).camera == {"D70": 1}
    assert (run.paused, run.request, run.queued) == ([], None, None)
    loom.close()


def test_what_is_asked_often_is_found_by_an_index(loom):
    """At a million assets a scan of a table is felt."""
    begin(loom)
    asked = {
        "ix_outcomes_run_position": grid.rows_of(1, 500_000, 100),
        "ix_locations_asset_state": select(assets.c.id).where(is_present()),
        "ix_assets_kind": facets.by_kind(AssetQuery()),
        "ix_asset_traits_camera": facets.by_trait(AssetQuery(), asset_traits.c.camera),
        "sqlite_autoindex_results_1": forecast.counted({1: 1}, [1], AssetQuery()),
    }
    with loom._database.read() as connection:
        for index, statement in asked.items():
            sql = statement.compile(connection.engine, compile_kwargs={"literal_binds": True})
            plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")]
            assert any(index in step for step in plan), plan
        sql = history._at(2).compile(connection.engine)
        plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", (1, b"a", 1, b"b"))]
        assert "SEARCH locations USING PRIMARY KEY (directory=? AND name=?)" in plan, plan
