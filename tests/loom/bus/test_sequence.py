from loom.bus.hub import Hub
from loom.bus.sequence import StoredSequence
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
