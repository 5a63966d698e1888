"""What kept a run from a file is kept with it, and how far it was when another worker went on with it."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, Text

revision = "0007"
down_revision = "0006"

Key = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "run_problems",
        Column("run", Key, ForeignKey("runs.id"), primary_key=True, nullable=False),
        Column("position", Integer, primary_key=True, autoincrement=False),
        Column("path", LargeBinary, nullable=False),
        Column("code", Text, nullable=False),
        Column("message", Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.add_column("runs", Column("problems", Integer, nullable=False, server_default="0"))
    op.add_column("runs", Column("gone_on", BigInteger))
    op.add_column("runs", Column("walked_before", Integer))
