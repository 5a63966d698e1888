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
