"""Assets are found by what their results say, by the day and by the place of capture."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    ForeignKeyConstraint,
    Integer,
    Text,
    UniqueConstraint,
    text,
)

from loom.store.lookuptables import FTS
from loom.store.outputs import METADATA, Outputs, read
from loom.store.texts import said_by
from loom.store.traits import traits_of

revision = "0006"
down_revision = "0005"

Key = BigInteger().with_variant(Integer(), "sqlite")
_AT_ONCE = 500
"""Assets whose results are held in memory."""

_STORED = text(
    "SELECT results.asset, results.signature, signatures.operator, results.outputs FROM results"
    " JOIN signatures ON signatures.id = results.signature"
    " WHERE results.asset > :after AND results.asset <= :upto AND results.state = 1 AND results.outputs <> '{}'"
    " ORDER BY results.asset, results.finished"
)
_TRAITS = text("UPDATE asset_traits SET day = :day, latitude = :latitude, longitude = :longitude WHERE asset = :asset")
_TEXT = text("INSERT INTO asset_texts (asset, signature, said) VALUES (:asset, :signature, :said)")


def upgrade() -> None:
    op.add_column("asset_traits", Column("day", Integer))
    op.add_column("asset_traits", Column("latitude", Double))
    op.add_column("asset_traits", Column("longitude", Double))
    op.create_table(
        "asset_texts",
        Column("id", Key, primary_key=True),
        Column("asset", Key, nullable=False),
        Column("signature", Key, nullable=False),
        Column("said", Text, nullable=False),
        UniqueConstraint("asset", "signature"),
        ForeignKeyConstraint(["asset", "signature"], ["results.asset", "results.signature"], ondelete="CASCADE"),
    )
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        for statement in FTS:
            op.execute(statement)
    fill(connection)
    op.create_index("ix_asset_traits_day", "asset_traits", ["day"])
    placed = text("latitude IS NOT NULL")
    op.create_index(
        "ix_asset_traits_place",
        "asset_traits",
        ["latitude", "longitude"],
        sqlite_where=placed,
        postgresql_where=placed,
    )
    if connection.dialect.name == "postgresql":
        op.execute(
            "CREATE INDEX asset_texts_words ON asset_texts USING gin (array_to_tsvector(string_to_array(said, ' ')))"
        )


def fill(connection: Connection) -> None:
    """From the results that are stored."""
    last = connection.execute(text("SELECT max(id) FROM assets")).scalar() or 0
    for after in range(0, last, _AT_ONCE):
        described: dict[int, Outputs] = {}
        texts = []
        for asset, signature, operator, outputs in connection.execute(
            _STORED, {"after": after, "upto": after + _AT_ONCE}
        ):
            found = read(outputs.encode())
            if operator == METADATA:
                described[asset] = found
            if said := said_by(found):
                texts.append({"asset": asset, "signature": signature, "said": said})
        if described:
            rows = [{"asset": asset, **traits_of(found)._asdict()} for asset, found in described.items()]
            connection.execute(_TRAITS, rows)
        if texts:
            connection.execute(_TEXT, texts)
