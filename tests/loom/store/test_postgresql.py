"""What only a database with several writers can do to us."""

from __future__ import annotations

import threading

import pytest
from ledgers import (
    BROKEN,
    COMPUTED,
    STEPS,
    SilentBus,
    artifact,
    begin,
    closing,
    digest,
    done,
    failed,
    found,
    report,
    toy_operators,
)
from sqlalchemy import make_url

from loom.bus.sequence import STORED_BLOCK, StoredSequence
from loom.errors import LoomError
from loom.model import RunState, State
from loom.service import LocalLoom
from loom.steering import Selection
from loom.store import reports, runs
from loom.store.about import about
from loom.store.database import Database
from loom.store.schema import HEAD


def test_writers_of_the_same_assets_do_not_wait_for_each_other_in_a_circle(postgresql, tmp_path):
    url = postgresql.emptied_database()
    refused: list[LoomError] = []

    def ingest(order: int) -> None:
        loom = LocalLoom(Database.open(url), tmp_path / "blobs", SilentBus(), toy_operators())
        new, ref = artifact(b"tiny")
        try:
            loom.put_artifacts([new])
            run = begin(loom, host=f"host{order}")
            for turn in range(8):
                mime = f"image/{(turn + order) % 2}"
                hashed = done(0, b'{"sha256":"%064x"}' % turn)
                batch = [
                    report(str(n), found(b"/d/%d" % n), results=[done(1, artifacts=(ref,)), hashed], mime=mime,
                           outcomes=[COMPUTED, COMPUTED], settled=turn % 2 == 0, collections=("one", "two"))
                    for n in range(60)
                ]  # fmt: skip
                loom.report(run, batch[::order])
            loom.finish_run(closing(run))
        except LoomError as error:
            refused.append(error)
        finally:
            loom.close()

    threads = [threading.Thread(target=ingest, args=(order,)) for order in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == []
    loom = LocalLoom(Database.open(url), tmp_path / "blobs", SilentBus(), toy_operators())
    assets = loom.assets(limit=500).items
    assert len(assets) == 60
    assert all(len(asset.locations) == 2 for asset in assets)
    loom.close()


@pytest.fixture
def two(postgresql, tmp_path):
    """Two processes' Looms over one database."""
    url = postgresql.emptied_database()
    looms = [LocalLoom(Database.open(url), tmp_path / "blobs", SilentBus(), toy_operators()) for _ in range(2)]
    yield looms
    for loom in looms:
        loom.close()


def beside(work) -> threading.Thread:
    """Does it in a thread of its own, and returns once it waits for a lock of the database or has ended."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(0.5)
    return thread


def test_forgetting_leaves_what_was_made_good_meanwhile(two):
    ours, theirs = two
    new, ref = artifact(b"good")
    ours.put_artifacts([new])
    run = begin(ours)
    ours.report(run, [report("a", found(b"/d/a"), results=[done(0), failed(1)], outcomes=[COMPUTED, BROKEN])])
    with theirs._database.write() as connection:
        opened = runs.for_storing(connection, run)
        good = report("a", found(b"/d/a"), results=[done(1, artifacts=(ref,))], outcomes=[COMPUTED, COMPUTED])
        reports.store(connection, opened, [good], 5)
        forgetting = beside(lambda: ours.forget(Selection()))
        assert forgetting.is_alive(), "it has seen the failure, and waits"
    forgetting.join()
    found_now = ours.lookup([digest("a")], [STEPS[1].signature])[0].results
    assert [(result.state, result.artifacts) for result in found_now] == [(State.COMPLETED, (ref,))]


def test_of_two_who_see_an_asset_first_one_leaves_its_derived_files(two):
    ours, theirs = two
    (one, first), (other, second) = artifact(b"first", "one"), artifact(b"second", "two")
    ours.put_artifacts([one, other])
    run = begin(ours)
    with theirs._database.write() as connection:
        opened = runs.for_storing(connection, run)
        reports.store(connection, opened, [report("a", results=[done(1, artifacts=(first,))])], 5)
        later = beside(lambda: ours.report(run, [report("a", results=[done(1, artifacts=(second,))])]))
        assert later.is_alive(), "it takes the asset for new, too"
    later.join()
    (result,) = ours.lookup([digest("a")], [STEPS[1].signature])[0].results
    assert result.artifacts == (second,)


def test_a_run_does_not_end_while_a_report_of_it_is_stored(two):
    ours, theirs = two
    run = begin(ours)
    with theirs._database.write() as connection:
        opened = runs.for_storing(connection, run)
        ending = beside(lambda: ours.finish_run(closing(run)))
        assert ending.is_alive()
        reports.store(connection, opened, [report("a", outcomes=[COMPUTED, COMPUTED])], 5)
    ending.join()
    assert ours.run(run).state is RunState.COMPLETED
    with pytest.raises(LoomError) as refused:
        theirs.report(run, [report("b")])
    assert refused.value.code == "REQUEST_INVALID"


def test_two_processes_never_give_a_number_twice(postgresql):
    url = postgresql.emptied_database()
    databases = [Database.open(url) for _ in range(2)]
    given: list[int] = []

    def number(database: Database) -> None:
        sequence = StoredSequence(database)
        for _ in range(20):
            given.append(sequence.reserve(0, 10))

    threads = [threading.Thread(target=number, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(0, 40 * STORED_BLOCK, STORED_BLOCK))
    for database in databases:
        database.close()


@pytest.fixture
def opened(postgresql, tmp_path):
    loom = LocalLoom(Database.open(postgresql.emptied_database()), tmp_path / "blobs", SilentBus(), toy_operators())
    yield loom
    loom.close()


def test_what_it_refuses_is_told_as_what_it_is(opened):
    database = opened._database
    added = "INSERT INTO pipeline_versions (pipeline, number, definition, etag, created) VALUES (%s, 1, '', '', 0)"
    for transaction, code in ((database.write, "DATABASE_BUSY"), (database.read, "DATABASE_UNREACHABLE")):
        with pytest.raises(LoomError) as refused, transaction() as connection:
            connection.exec_driver_sql(added, (4711,))
        assert (refused.value.code, refused.value.retryable) == (code, True)


def test_a_nul_in_a_text_is_the_fault_of_who_sent_it(opened):
    run = begin(opened)
    bad = failed(1, "FILE\0")
    with pytest.raises(LoomError) as refused:
        opened.report(run, [report("a", results=[bad])])
    assert refused.value.code == "REQUEST_INVALID"


def test_what_is_told_of_the_database_holds_no_secret(postgresql):
    url = make_url(postgresql.emptied_database()).set(password="hush")
    database = Database.open(url.render_as_string(hide_password=False))
    told = about(database)
    assert (told.kind, told.version) == ("postgresql", HEAD)
    assert told.size > 100_000
    assert told.place.endswith(f"/{url.database}")
    assert "hush" not in told.place
    database.close()
