"""Assets are found by what is like them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    bindparam,
    text,
)

from loom.store.fingerprints import take
from loom.verbs.library import FINGERPRINTS

revision = "0009"
down_revision = "0008"

Key = BigInteger().with_variant(Integer(), "sqlite")
_AT_ONCE = 500
"""Assets whose results are held in memory."""

_STORED = text(
    "SELECT results.asset, results.signature, signatures.operator, results.outputs FROM results"
    " JOIN signatures ON signatures.id = results.signature"
    " WHERE results.asset > :after AND results.asset <= :upto AND results.state = 1"
    " AND signatures.operator IN :operators ORDER BY results.asset, results.signature"
).bindparams(bindparam("operators", expanding=True))
_KEEP = text("INSERT INTO fingerprints (asset, signature, kind, bits) VALUES (:asset, :signature, :kind, :bits)")


def upgrade() -> None:
    op.create_table(
        "fingerprints",
        Column("id", Key, primary_key=True),
        Column("asset", Key, nullable=False),
        Column("signature", Key, nullable=False),
        Column("kind", Text, nullable=False),
        Column("bits", LargeBinary, nullable=False),
        UniqueConstraint("asset", "signature"),
        ForeignKeyConstraint(["asset", "signature"], ["results.asset", "results.signature"], ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    fill(op.get_bind())


def fill(connection: Connection) -> None:
    """From the results that are stored."""
    last = connection.execute(text("SELECT max(id) FROM assets")).scalar() or 0
    for after in range(0, last, _AT_ONCE):
        asked = {"after": after, "upto": after + _AT_ONCE, "operators": list(FINGERPRINTS)}
        rows = [
            taken._asdict()
            for asset, signature, operator, outputs in connection.execute(_STORED, asked)
            if (taken := take(asset, signature, operator, outputs.encode())).bits is not None
        ]
        if rows:
            connection.execute(_KEEP, rows)
