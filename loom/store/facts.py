"""Small facts that outlive a process, such as the numbers that the bus has reserved."""

from __future__ import annotations

from sqlalchemy import Connection, select

from loom.store.statements import insert, upsert
from loom.store.tables import facts


def fact(connection: Connection, name: str) -> str | None:
    return connection.execute(select(facts.c.value).where(facts.c.name == name)).scalar()


def held_fact(connection: Connection, name: str, default: str) -> str:
    """The fact (`default` from now on, if there was none); nobody else changes it before this transaction ends."""
    insert(connection, facts, [(name, default)])
    return str(connection.execute(select(facts.c.value).where(facts.c.name == name).with_for_update()).scalar_one())


def set_fact(connection: Connection, name: str, value: str) -> None:
    upsert(connection, facts, [(name, value)])
