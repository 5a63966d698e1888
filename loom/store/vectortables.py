"""The tables of vectors, and of the people whose faces they describe."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from loom.store.columns import Key, metadata
from loom.store.columns import key as _key

people = Table(
    "people",
    metadata,
    _key(),
    Column("uuid", LargeBinary, nullable=False, unique=True),
    Column("name", Text),
    Column("folded", Text),  # the name as it is looked for
    Column("created", BigInteger, nullable=False),
    Index("ix_people_folded", "folded"),
)

# Who was split from whom, the smaller number first.
people_apart = Table(
    "people_apart",
    metadata,
    Column("one", Key, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    Column("other", Key, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    sqlite_with_rowid=False,
)

# A number is never given twice, and of a row only the person changes: who has read all up to a number has only newer
# ones to read.
vectors = Table(
    "vectors",
    metadata,
    _key(),
    Column("asset", Key, nullable=False),
    Column("signature", Key, nullable=False),
    Column("position", Integer, nullable=False),  # which of the items of the result, from 0
    Column("kind", Text, nullable=False),  # the operator; see `loom.verbs.people.VECTORS`
    Column("model", Text, nullable=False),
    Column("bits", LargeBinary, nullable=False),  # of the length 1, float16, little-endian
    Column("person", Key, ForeignKey("people.id", ondelete="SET NULL")),
    UniqueConstraint("asset", "signature", "position"),
    ForeignKeyConstraint(["asset", "signature"], ["results.asset", "results.signature"], ondelete="CASCADE"),
    Index("ix_vectors_model", "kind", "model", "id"),
    Index("ix_vectors_person", "person"),
    sqlite_autoincrement=True,
)
