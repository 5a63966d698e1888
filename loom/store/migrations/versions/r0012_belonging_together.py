"""Assets that belong together are kept as groups, and found by when and by what they were taken."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)

from loom.store.outputs import METADATA, read
from loom.store.traits import traits_of

revision = "0012"
down_revision = "0011"

Key = BigInteger().with_variant(Integer(), "sqlite")
_AT_ONCE = 2000
"""Assets whose results are held in memory."""
_ADDED = ("moment", "zone", "duration_ms", "content_id", "burst_id", "side_file_for")

_STORED = text(
    "SELECT results.asset, results.outputs FROM results JOIN signatures ON signatures.id = results.signature"
    " WHERE results.asset > :after AND results.asset <= :upto AND results.state = 1"
    " AND signatures.operator = :operator ORDER BY results.asset, results.finished"
)
_TRAITS = text(
    "UPDATE asset_traits SET moment = :moment, zone = :zone, duration_ms = :duration_ms, content_id = :content_id,"
    " burst_id = :burst_id, side_file_for = :side_file_for WHERE asset = :asset"
)


def upgrade() -> None:
    op.create_table(
        "asset_groups",
        Column("id", Key, primary_key=True),
        Column("uuid", LargeBinary, nullable=False, unique=True),
        Column("kind", SmallInteger, nullable=False),
        Column("anchor", Key, ForeignKey("assets.id")),
        Column("created", BigInteger, nullable=False),
        UniqueConstraint("anchor", "kind"),
    )
    op.create_table(
        "asset_group_members",
        Column("grouped", Key, ForeignKey("asset_groups.id"), primary_key=True, nullable=False),
        Column("asset", Key, ForeignKey("assets.id"), primary_key=True, nullable=False),
        Column("role", SmallInteger, nullable=False),
        UniqueConstraint("asset", "grouped"),
        sqlite_with_rowid=False,
    )
    for name, kind in zip(_ADDED, (BigInteger, Integer, BigInteger, Text, Text, Text), strict=True):
        op.add_column("asset_traits", Column(name, kind))
    fill(op.get_bind())
    op.create_index("ix_asset_traits_moment", "asset_traits", ["moment"])
    for name in ("content_id", "burst_id"):
        told = text(f"{name} IS NOT NULL")
        index = f"ix_asset_traits_{name}"
        op.create_index(index, "asset_traits", [name], sqlite_where=told, postgresql_where=told)


def fill(connection: Connection) -> None:
    """From the results that are stored; of several of one asset the newest counts."""
    last = connection.execute(text("SELECT max(id) FROM assets")).scalar() or 0
    for after in range(0, last, _AT_ONCE):
        asked = {"after": after, "upto": after + _AT_ONCE, "operator": METADATA}
        newest = {asset: outputs for asset, outputs in connection.execute(_STORED, asked)}  # noqa: C416
        rows = [{"asset": asset, **traits_of(read(told.encode()))._asdict()} for asset, told in newest.items()]
        if rows:
            connection.execute(_TRAITS, rows)
