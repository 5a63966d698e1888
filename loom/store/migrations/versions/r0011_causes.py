"""Failures with a like message have one cause, by which they are counted and chosen."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Connection, Text, text

from loom.store.causes import cause_of

revision = "0011"
down_revision = "0010"

_FAILED = text(
    "SELECT asset, signature, error_message FROM results WHERE state = 2 AND cause IS NULL"
    " ORDER BY asset, signature LIMIT 1000"
)
_CAUSE = text("UPDATE results SET cause = :cause WHERE asset = :asset AND signature = :signature")


def upgrade() -> None:
    op.add_column("results", Column("cause", Text))
    fill(op.get_bind())


def fill(connection: Connection) -> None:
    """From the messages that are stored."""
    while rows := connection.execute(_FAILED).all():
        connection.execute(
            _CAUSE,
            [{"asset": row.asset, "signature": row.signature, "cause": cause_of(row.error_message)} for row in rows],
        )
