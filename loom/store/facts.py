"""Small facts that outlive a process, such as the numbers that the bus has reserved."""

from __future__ import annotations

from sqlalchemy import Connection, select

from loom.store.statements import upsert
from loom.store.tables import facts


def fact(connection: Connection, name: str) -> str | None:
    return connection.execute(select(facts.c.value).where(facts.c.name == name)).scalar()


def set_fact(connection: Connection, name: str, value: str) -> None:
    upsert(connection, facts, [(name, value)])
