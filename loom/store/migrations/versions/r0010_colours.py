"""Pictures are found by their colours."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Connection, Double, ForeignKey, Integer, Text, text

from loom.store.colours import OPERATOR, rows_of

revision = "0010"
down_revision = "0009"

Key = BigInteger().with_variant(Integer(), "sqlite")
_AT_ONCE = 2000
"""Results that are held in memory."""

_STORED = text(
    "SELECT results.asset, results.outputs FROM results JOIN signatures ON signatures.id = results.signature"
    " WHERE results.asset > :after AND results.asset <= :upto AND results.state = 1"
    " AND signatures.operator = :operator ORDER BY results.asset, results.finished"
)
_KEEP = text(
    "INSERT INTO asset_colours (asset, position, name, lightness, a, b, share, of_name)"
    " VALUES (:asset, :position, :name, :lightness, :a, :b, :share, :of_name)"
)
_COLUMNS = ("asset", "position", "name", "lightness", "a", "b", "share", "of_name")


def upgrade() -> None:
    op.create_table(
        "asset_colours",
        Column("asset", Key, ForeignKey("assets.id"), primary_key=True, nullable=False),
        Column("position", Integer, primary_key=True, autoincrement=False),
        Column("name", Text, nullable=False),
        Column("lightness", Double, nullable=False),
        Column("a", Double, nullable=False),
        Column("b", Double, nullable=False),
        Column("share", Double, nullable=False),
        Column("of_name", Double),
        sqlite_with_rowid=False,
    )
    fill(op.get_bind())
    op.create_index("ix_asset_colours_name", "asset_colours", ["name", "of_name"])
    op.create_index("ix_asset_colours_place", "asset_colours", ["a", "b", "lightness", "share"])


def fill(connection: Connection) -> None:
    """From the results that are stored; of several of one asset the newest counts."""
    last = connection.execute(text("SELECT max(id) FROM assets")).scalar() or 0
    for after in range(0, last, _AT_ONCE):
        asked = {"after": after, "upto": after + _AT_ONCE, "operator": OPERATOR}
        newest = {asset: outputs for asset, outputs in connection.execute(_STORED, asked)}  # noqa: C416
        rows = [row for asset, outputs in newest.items() for row in rows_of(asset, outputs.encode())]
        if rows:
            connection.execute(_KEEP, [dict(zip(_COLUMNS, row, strict=True)) for row in rows])
