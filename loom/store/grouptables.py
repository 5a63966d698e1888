"""The tables of assets that belong together."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, SmallInteger, Table, UniqueConstraint

from loom.store.columns import Key, metadata
from loom.store.columns import key as _key
from loom.store.columns import refers as _refers

# The anchor is the member by which a group is found again; bursts have none.
asset_groups = Table(
    "asset_groups",
    metadata,
    _key(),
    Column("uuid", LargeBinary, nullable=False, unique=True),
    Column("kind", SmallInteger, nullable=False),
    Column("anchor", Key, ForeignKey("assets.id")),
    Column("created", BigInteger, nullable=False),
    UniqueConstraint("anchor", "kind"),
)

# `grouped` is the group, whose own name is a word of SQL.
asset_group_members = Table(
    "asset_group_members",
    metadata,
    _refers("grouped", "asset_groups", primary_key=True),
    _refers("asset", "assets", primary_key=True),
    Column("role", SmallInteger, nullable=False),
    UniqueConstraint("asset", "grouped"),
    sqlite_with_rowid=False,
)
