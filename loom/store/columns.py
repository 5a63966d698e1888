"""What the tables are made of."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Key = BigInteger().with_variant(Integer(), "sqlite")


def key() -> Column[int]:
    """The number of a row."""
    return Column("id", Key, primary_key=True)


def refers(name: str, target: str, *, primary_key: bool = False) -> Column[int]:
    """The number of a row of another table."""
    return Column(name, Key, ForeignKey(f"{target}.id"), primary_key=primary_key, nullable=False)
