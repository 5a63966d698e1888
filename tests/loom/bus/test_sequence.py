import pytest

from loom.bus import sequence
from loom.bus.hub import Hub
from loom.bus.log import BLOCK
from loom.bus.sequence import STORED_BLOCK, StoredSequence
from loom.store.database import Database


def test_the_number_outlives_the_process_that_gave_it(tmp_path, run, events):
    url = f"sqlite:///{tmp_path}/loom.db"
    for expected in (3, 6):
        database = Database.open(url)
        hub = Hub(StoredSequence(database))
        hub.publish(run, events(3))
        assert hub.seq == expected
        hub.close()
        database.close()
    database = Database.open(url)
    Hub(StoredSequence(database)).publish(run, events(1))
    database.close()
    database = Database.open(url)
    assert Hub(StoredSequence(database)).seq > 7, "nobody closed that hub: what it had reserved counts as given"
    database.close()


def test_two_processes_on_one_database_never_give_a_number_twice(tmp_path, run, events):
    databases = [Database.open(f"sqlite:///{tmp_path}/loom.db") for _ in range(2)]
    first, second = hubs = [Hub(StoredSequence(database)) for database in databases]
    given = []
    for hub in (*hubs, *hubs):
        hub.publish(run, events(3))
        given += range(hub.seq - 2, hub.seq + 1)
    assert len(set(given)) == 12
    assert first.seq < second.seq
    with first.subscribe(after=0) as listener:
        assert [len(piece.frames) for piece in listener.take()] == [6]
    with second.subscribe(after=0) as listener:
        _, found = listener.take()
        assert len(found.frames) == 6, "what was numbered elsewhere is a gap"
    first.close()
    second.publish(run, events(1))
    third = Hub(StoredSequence(databases[0]))
    third.publish(run, events(1))
    assert third.seq > second.seq, "what the first gave back is not what the second has reserved"
    for hub, database in zip((second, third), databases, strict=True):
        hub.close()
        database.close()


@pytest.fixture
def database(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path}/loom.db")
    yield database
    database.close()


def test_after_a_kill_few_numbers_are_left_out(database, tmp_path, run, events):
    marks = tmp_path / "numbers"
    Hub(StoredSequence(database, marks)).publish(run, events(1500))
    again = StoredSequence(database, marks).load()
    assert 1500 <= again <= 1500 + BLOCK
    assert StoredSequence(database).load() == again, "it is in the database from then on"


def test_a_mark_counts_for_nothing_when_the_machine_was_restarted_or_others_have_reserved_since(
    database, tmp_path, run, events, monkeypatch
):
    marks = tmp_path / "numbers"
    Hub(StoredSequence(database, marks)).publish(run, events(5))
    with monkeypatch.context() as patch:
        patch.setattr(sequence, "_boot", lambda: bytes(16))
        assert StoredSequence(database, marks).load() == STORED_BLOCK
    for damage in (b"", b"x", marks.read_bytes()[:-1]):
        (tmp_path / "damaged").write_bytes(damage)
        assert StoredSequence(database, tmp_path / "damaged").load() == STORED_BLOCK
    other = StoredSequence(database)
    assert other.reserve(0, 10) == STORED_BLOCK
    assert StoredSequence(database, marks).load() == 2 * STORED_BLOCK


def test_a_mark_that_cannot_be_kept_true_goes(database, tmp_path, run, events, monkeypatch):
    def full(*args):
        raise OSError

    marks = tmp_path / "numbers"
    hub = Hub(StoredSequence(database, marks))
    hub.publish(run, events(5))
    monkeypatch.setattr(sequence.os, "pwrite", full)
    hub.publish(run, events(2 * BLOCK))
    assert not marks.exists()
    assert StoredSequence(database, marks).load() == STORED_BLOCK
