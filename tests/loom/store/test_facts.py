from __future__ import annotations

from loom.store.database import Database
from loom.store.facts import fact, set_fact


def test_a_fact_is_there_for_the_next_process(url):
    first = Database.open(url)
    with first.write() as connection:
        assert fact(connection, "name") is None
        set_fact(connection, "name", "one")
        set_fact(connection, "name", "two")
    first.close()
    second = Database.open(url)
    with second.read() as connection:
        assert fact(connection, "name") == "two"
    second.close()
