"""The tables of groups of duplicates, and of what was done to files."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, SmallInteger, Table, Text, text

from loom.store.columns import key as _key
from loom.store.columns import metadata
from loom.store.columns import refers as _refers

duplicates = Table(
    "duplicates",
    metadata,
    _key(),
    Column("uuid", LargeBinary, nullable=False, unique=True),
    Column("kind", SmallInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("decided", BigInteger),  # when it was confirmed or rejected
    Column("reason", Text),  # why the kept one was kept, once it is confirmed
    Index(None, "state"),
)

# A group of exact copies has its one asset here, others all of theirs.
duplicate_members = Table(
    "duplicate_members",
    metadata,
    _refers("duplicate", "duplicates", primary_key=True),
    _refers("asset", "assets", primary_key=True),
    Column("distance", SmallInteger, nullable=False),
    Column("part", SmallInteger, nullable=False),
    Index(None, "asset"),
    sqlite_with_rowid=False,
)

# The copies of an asset as they lay when people decided; `key` is `key_of(host, path)`.
duplicate_files = Table(
    "duplicate_files",
    metadata,
    _refers("duplicate", "duplicates", primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("host", Text, nullable=False),
    Column("path", LargeBinary, nullable=False),
    Column("part", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Names of runs, groups and assets stand here as they are called outside: the record outlives what it is about.
actions = Table(
    "actions",
    metadata,
    _key(),
    Column("uuid", LargeBinary, nullable=False, unique=True),
    Column("run", LargeBinary, index=True),
    Column("duplicate", LargeBinary, index=True),
    Column("host", Text, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("asset", LargeBinary, nullable=False),  # the BLAKE3 of the asset it was done for
    Column("origin", LargeBinary, nullable=False),
    Column("target", LargeBinary, nullable=False),
    Column("place", LargeBinary, nullable=False, index=True),  # `key_of(host, target)`
    Column("digest", LargeBinary, nullable=False),  # of the bytes at the target
    Column("size", BigInteger, nullable=False),
    Column("began", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("state", SmallInteger, nullable=False),
    Column("why", Text),
    Index("ix_actions_begun", "host", sqlite_where=text("state = 0")),
)
