"""The table of fingerprints by which assets are found that are alike."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, LargeBinary, Table, Text, UniqueConstraint

from loom.store.columns import Key, metadata
from loom.store.columns import key as _key

# A number is never given twice, and a row is never changed: who has read all up to a number has only newer ones to
# read.
fingerprints = Table(
    "fingerprints",
    metadata,
    _key(),
    Column("asset", Key, nullable=False),
    Column("signature", Key, nullable=False),
    Column("kind", Text, nullable=False),  # the operator; see `loom.verbs.library.FINGERPRINTS`
    Column("bits", LargeBinary, nullable=False),
    UniqueConstraint("asset", "signature"),
    ForeignKeyConstraint(["asset", "signature"], ["results.asset", "results.signature"], ondelete="CASCADE"),
    sqlite_autoincrement=True,
)
