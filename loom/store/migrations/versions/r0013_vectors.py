"""Vectors are kept for comparison, and faces sorted by the people they are of. Results that are stored do not say of
which model their vectors are, so that there is nothing to be taken from them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
)

revision = "0013"
down_revision = "0012"

Key = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "people",
        Column("id", Key, primary_key=True),
        Column("uuid", LargeBinary, nullable=False, unique=True),
        Column("name", Text),
        Column("folded", Text),
        Column("created", BigInteger, nullable=False),
    )
    op.create_index("ix_people_folded", "people", ["folded"])
    op.create_table(
        "people_apart",
        Column("one", Key, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, nullable=False),
        Column("other", Key, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vectors",
        Column("id", Key, primary_key=True),
        Column("asset", Key, nullable=False),
        Column("signature", Key, nullable=False),
        Column("position", Integer, nullable=False),
        Column("kind", Text, nullable=False),
        Column("model", Text, nullable=False),
        Column("bits", LargeBinary, nullable=False),
        Column("person", Key, ForeignKey("people.id", ondelete="SET NULL")),
        UniqueConstraint("asset", "signature", "position"),
        ForeignKeyConstraint(["asset", "signature"], ["results.asset", "results.signature"], ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_vectors_model", "vectors", ["kind", "model", "id"])
    op.create_index("ix_vectors_person", "vectors", ["person"])
