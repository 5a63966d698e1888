"""The tables of what assets are looked for by, taken from their results.

The words of texts stand in an index of their own: FTS5 on SQLite, an index of `tsvector` on PostgreSQL. The migrations
make both; here stands what a new SQLite file needs.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
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
    Column("moment", BigInteger, index=True),  # what follows is said of `loom.verbs.beside.Shot`
    Column("zone", Integer),
    Column("duration_ms", BigInteger),
    Column("content_id", Text),
    Column("burst_id", Text),
    Column("side_file_for", Text),
    Index("ix_asset_traits_content_id", "content_id", sqlite_where=text("content_id IS NOT NULL")),
    Index("ix_asset_traits_burst_id", "burst_id", sqlite_where=text("burst_id IS NOT NULL")),
    Index("ix_asset_traits_place", "latitude", "longitude", sqlite_where=text("latitude IS NOT NULL")),
    sqlite_with_rowid=False,
)

# The main colours of a picture, by the newest result that tells them; `lightness`, `a` and `b` are those of CIE L*a*b*.
asset_colours = Table(
    "asset_colours",
    metadata,
    _refers("asset", "assets", primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("lightness", Double, nullable=False),
    Column("a", Double, nullable=False),
    Column("b", Double, nullable=False),
    Column("share", Double, nullable=False),
    Column("of_name", Double),  # the share of all colours of this name, at the first of them; NULL at the others
    Index("ix_asset_colours_name", "name", "of_name"),
    Index("ix_asset_colours_place", "a", "b", "lightness", "share"),
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
