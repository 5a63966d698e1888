"""The tables of what assets are looked for by, taken from their results.

The words of texts stand in an index of their own: FTS5 on SQLite, an index of `tsvector` on PostgreSQL. The migrations
make both; here stands what a new SQLite file needs.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.schema import DDLElement

from loom.store.columns import Key, metadata
from loom.store.columns import key as _key
from loom.store.columns import refers as _refers

asset_traits = Table(
    "asset_traits",
    metadata,
    _refers("asset", "assets", primary_key=True),
    Column("camera", Text, index=True),
    Column("year", Integer, index=True),
    Column("day", Integer, index=True),  # of capture, as 20240517
    Column("latitude", Double),
    Column("longitude", Double),
    Index("ix_asset_traits_place", "latitude", "longitude", sqlite_where=text("latitude IS NOT NULL")),
    sqlite_with_rowid=False,
)


def _on_sqlite(statement: str) -> DDLElement:
    made: DDLElement = DDL(statement).execute_if(dialect="sqlite")  # type: ignore[no-untyped-call]
    return made


# What a result says in words, as `texts.words` writes it.
asset_texts = Table(
    "asset_texts",
    metadata,
    _key(),
    Column("asset", Key, nullable=False),
    Column("signature", Key, nullable=False),
    Column("said", Text, nullable=False),
    UniqueConstraint("asset", "signature"),
    ForeignKeyConstraint(["asset", "signature"], ["results.asset", "results.signature"], ondelete="CASCADE"),
)

_ADD = "INSERT INTO asset_texts_words (rowid, said) VALUES (new.id, new.said);"
_TAKE = "INSERT INTO asset_texts_words (asset_texts_words, rowid, said) VALUES ('delete', old.id, old.said);"
FTS = (
    "CREATE VIRTUAL TABLE asset_texts_words USING fts5"
    " (said, content='asset_texts', content_rowid='id', detail=none, columnsize=0)",
    f"CREATE TRIGGER asset_texts_words_add AFTER INSERT ON asset_texts BEGIN {_ADD} END",
    f"CREATE TRIGGER asset_texts_words_take AFTER DELETE ON asset_texts BEGIN {_TAKE} END",
    "CREATE TRIGGER asset_texts_words_change AFTER UPDATE ON asset_texts"
    f" WHEN old.said <> new.said BEGIN {_TAKE} {_ADD} END",
)
"""The index of words on SQLite, and what keeps it."""

for _statement in FTS:
    event.listen(asset_texts, "after_create", _on_sqlite(_statement))
