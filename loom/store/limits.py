"""How many files an operator or a resource may have in hand at a time."""

from __future__ import annotations

import re

from sqlalchemy import Connection, Select, delete, select

from loom.errors import LoomError
from loom.store.statements import compiled, fetch, upsert
from loom.store.tables import limits

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*")
_LONGEST = 200
_MOST = 2**31 - 1


def in_force(connection: Connection) -> dict[str, int]:
    """Cheap: workers hear of them with every order."""
    return dict(fetch(connection, compiled(connection, _by_name)))


def change(connection: Connection, name: str, number: int | None) -> None:
    """None lifts the limit. Raises `REQUEST_INVALID`."""
    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        raise LoomError("REQUEST_INVALID", "A limit is on an operator's id, on a capability, or on `jobs`.")
    if number is None:
        connection.execute(delete(limits).where(limits.c.name == name))
    elif 1 <= number <= _MOST:
        upsert(connection, limits, [(name, number)])
    else:
        raise LoomError("REQUEST_INVALID", "A limit is at least 1; to have none, lift it.")


def _by_name() -> Select[tuple[str, int]]:
    return select(limits.c.name, limits.c.number).order_by(limits.c.name)
