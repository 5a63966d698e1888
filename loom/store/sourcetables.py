"""The tables of sources and of limits."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, SmallInteger, Table, Text

from loom.store.columns import key as _key
from loom.store.columns import metadata

# `key` is `key_of(host, path)`: paths may be longer than an index takes.
sources = Table(
    "sources",
    metadata,
    _key(),
    Column("name", Text, nullable=False, unique=True),
    Column("key", LargeBinary, nullable=False, unique=True),
    Column("host", Text, nullable=False),
    Column("path", LargeBinary, nullable=False),
    Column("options", Text, nullable=False),
    Column("marker_kind", Text),  # NULL: known by its path alone
    Column("marker_id", Text),
    Column("marker_inside", LargeBinary),
    Column("state", SmallInteger, nullable=False),
    Column("seen", BigInteger),  # when it was last looked for
    Column("away", BigInteger),  # since when it is unreachable
    Column("created", BigInteger, nullable=False),
)

limits = Table(
    "limits",
    metadata,
    Column("name", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    sqlite_with_rowid=False,
)
