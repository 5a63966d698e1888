"""Folders that are known by a name, and how much is done at a time; what became of files is found by directory."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, SmallInteger, Text

revision = "0005"
down_revision = "0004"

Key = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sources",
        Column("id", Key, primary_key=True),
        Column("name", Text, nullable=False, unique=True),
        Column("key", LargeBinary, nullable=False, unique=True),
        Column("host", Text, nullable=False),
        Column("path", LargeBinary, nullable=False),
        Column("options", Text, nullable=False),
        Column("marker_kind", Text),
        Column("marker_id", Text),
        Column("marker_inside", LargeBinary),
        Column("state", SmallInteger, nullable=False),
        Column("seen", BigInteger),
        Column("away", BigInteger),
        Column("created", BigInteger, nullable=False),
    )
    op.create_index("ix_location_changes_directory", "location_changes", ["directory"])
    op.create_index("ix_location_changes_to_directory", "location_changes", ["to_directory"])
    op.create_table(
        "limits",
        Column("name", Text, primary_key=True),
        Column("number", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
