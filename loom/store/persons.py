"""People, and finding assets by them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, Select, select

from loom.errors import LoomError
from loom.store.tables import people, vectors
from loom.store.values import folded_query


def number_of(connection: Connection, uuid: UUID) -> int:
    """Raises `NOT_FOUND`."""
    found = connection.execute(select(people.c.id).where(people.c.uuid == uuid.bytes)).scalar()
    if found is None:
        raise nobody(uuid)
    return int(found)


def nobody(uuid: UUID) -> LoomError:
    return LoomError("NOT_FOUND", f"There is no person {uuid}.")


def showing(person: str) -> Select[tuple[int]]:
    """The assets with a face of somebody, who is named by UUID or name."""
    try:
        called = people.c.uuid == UUID(person).bytes
    except ValueError:
        called = people.c.folded == folded_query(person)
    return select(vectors.c.asset).join(people, people.c.id == vectors.c.person).where(called)
