"""What only one writer at a time may do, in a database that has several."""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import Connection, text


class Turn(IntEnum):
    """What is done by one alone, and the number of PostgreSQL's lock for it, which older versions of Loom know too."""

    TABLES = 0x4C6F6F6D
    FINGERPRINTS = 0x4C6F6F6E
    ASSET_GROUPS = 0x4C6F6F6F
    VECTORS = 0x4C6F6F70
    PEOPLE = 0x4C6F6F71


def wait_for_turn(connection: Connection, turn: Turn) -> None:
    """Nobody else has this turn from now on to the end of the transaction. Whoever writes to SQLite is alone anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({turn.value})"))
