"""Groups of duplicates that people decide on, and what was done to files."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, SmallInteger, Text, text

revision = "0008"
down_revision = "0007"

Key = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    _duplicates()
    _actions()


def _duplicates() -> None:
    op.create_table(
        "duplicates",
        Column("id", Key, primary_key=True),
        Column("uuid", LargeBinary, nullable=False, unique=True),
        Column("kind", SmallInteger, nullable=False),
        Column("state", SmallInteger, nullable=False),
        Column("created", BigInteger, nullable=False),
        Column("decided", BigInteger),
        Column("reason", Text),
    )
    op.create_index("ix_duplicates_state", "duplicates", ["state"])
    op.create_table(
        "duplicate_members",
        Column("duplicate", Key, ForeignKey("duplicates.id"), primary_key=True, nullable=False),
        Column("asset", Key, ForeignKey("assets.id"), primary_key=True, nullable=False),
        Column("distance", SmallInteger, nullable=False),
        Column("part", SmallInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_duplicate_members_asset", "duplicate_members", ["asset"])
    op.create_table(
        "duplicate_files",
        Column("duplicate", Key, ForeignKey("duplicates.id"), primary_key=True, nullable=False),
        Column("key", LargeBinary, primary_key=True),
        Column("host", Text, nullable=False),
        Column("path", LargeBinary, nullable=False),
        Column("part", SmallInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _actions() -> None:
    op.create_table(
        "actions",
        Column("id", Key, primary_key=True),
        Column("uuid", LargeBinary, nullable=False, unique=True),
        Column("run", LargeBinary),
        Column("duplicate", LargeBinary),
        Column("host", Text, nullable=False),
        Column("kind", SmallInteger, nullable=False),
        Column("asset", LargeBinary, nullable=False),
        Column("origin", LargeBinary, nullable=False),
        Column("target", LargeBinary, nullable=False),
        Column("place", LargeBinary, nullable=False),
        Column("digest", LargeBinary, nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("began", BigInteger, nullable=False),
        Column("ended", BigInteger),
        Column("state", SmallInteger, nullable=False),
        Column("why", Text),
    )
    for name in ("run", "duplicate", "place"):
        op.create_index(f"ix_actions_{name}", "actions", [name])
    begun = text("state = 0")
    op.create_index("ix_actions_begun", "actions", ["host"], sqlite_where=begun, postgresql_where=begun)
