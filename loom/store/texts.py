"""What results say in words, found by the beginnings of words without regard to case and accents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Delete, Select, bindparam, delete, literal, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean

from loom.store.outputs import NOTHING, Outputs, texts_of
from loom.store.statements import any_of, compiled, fetch_each, upsert, write_rows
from loom.store.tables import asset_texts

MOST = 65_536
"""Characters of one result that are looked at."""

_LONGEST, _MOST_ASKED = 100, 20
"""Characters of a word that count, and words of a question."""

_ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Scripts without spaces: each character counts as a word."""
_WORD = re.compile(rf"[{_ALONE}]|[^\W_{_ALONE}]{{1,{_LONGEST}}}")


def words(text: str) -> Iterable[str]:
    """The words of a text as they are kept: folded, without accents, the rest of very long ones as a word more."""
    if text.isascii():
        return _WORD.findall(text.lower())
    plain = unicodedata.normalize("NFKD", text)
    folded = "".join(character for character in plain if not unicodedata.combining(character)).casefold()
    return _WORD.findall(unicodedata.normalize("NFC", folded))


def said_by(outputs: Outputs) -> str:
    """All words of a result; empty when it says none."""
    if outputs is NOTHING:
        return ""
    texts = " ".join(texts_of(outputs))
    return " ".join(words(texts[:MOST])) if texts else ""


def add(
    connection: Connection, found: Iterable[tuple[int, int, str]], replaced: Collection[tuple[int, int]] = ()
) -> None:
    """Keeps what results (asset, signature) say. Those that may have said something before are `replaced`."""
    rows = sorted({(asset, signature): (asset, signature, said) for asset, signature, said in found}.values())
    if replaced:
        _drop(connection, set(replaced) - {row[:2] for row in rows})
    upsert(connection, asset_texts, rows)


def _drop(connection: Connection, silent: set[tuple[int, int]]) -> None:
    known = fetch_each(connection, _kept, sorted({asset for asset, _ in silent}))
    write_rows(connection, compiled(connection, _forget), sorted(key for key in known if key in silent))


def saying(question: str) -> Select[tuple[int]] | None:
    """The assets of which a result has all words of the question, each at least as the beginning of one; None when
    there are no words."""
    asked = " ".join(f"{word}*" for word in islice(words(question), _MOST_ASKED))
    return select(asset_texts.c.asset).where(Says(literal(asked))) if asked else None


class Says(FunctionElement[bool]):
    """Whether a row of `asset_texts` fits beginnings of words, such as `sun* beach*`."""

    type = Boolean()
    inherit_cache = True


@compiles(Says)
def _in_fts(element: Says, compiler: Any, **more: Any) -> str:
    asked = compiler.process(element.clauses, **more)
    found = "SELECT rowid FROM asset_texts_words WHERE asset_texts_words MATCH"
    return f"asset_texts.id IN ({found} {asked})"


@compiles(Says, "postgresql")
def _in_tsvector(element: Says, compiler: Any, **more: Any) -> str:
    asked = compiler.process(element.clauses, **more)
    question = f"CAST(replace(replace(CAST({asked} AS text), '*', ':*'), ' ', ' & ') AS tsquery)"
    return f"array_to_tsvector(string_to_array(asset_texts.said, ' ')) @@ {question}"


def _kept(count: int) -> Select[tuple[int, int]]:
    return select(asset_texts.c.asset, asset_texts.c.signature).where(any_of(asset_texts.c.asset, count))


def _forget() -> Delete:
    at = asset_texts.c
    return delete(asset_texts).where(at.asset == bindparam("of"), at.signature == bindparam("under"))
