"""OpenDocument (ISO/IEC 26300): texts, spreadsheets, presentations and drawings."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import BinaryIO

from cortex.media.documents.flow import leaves_of, read_xml
from cortex.media.documents.manuscript import Manuscript
from cortex.media.documents.parts import Parts
from loom.errors import LoomError

_PARAGRAPHS = frozenset({"p", "h"})
_LEFT_OUT = frozenset({"tracked-changes", "ruby-text"})
_MAX_SPACES = 1000


class _Text:
    def __init__(self, manuscript: Manuscript) -> None:
        self._manuscript = manuscript
        self._hidden = 0
        self._paragraphs = 0
        self._cells = 0
        self.slides = self.sheets = 0

    @property
    def is_full(self) -> bool:
        return self._manuscript.is_full

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if self._hidden or name in _LEFT_OUT:
            self._hidden += 1
        elif name in _PARAGRAPHS:
            self._paragraphs += 1
        elif name == "page":
            self.slides += 1
        elif name == "table":
            self.sheets += 1
            self._manuscript.add(f"{attributes.get('name', '')}\n")
        elif name == "table-cell":
            self._cells += 1
        elif self._paragraphs:
            self._within(name, attributes)

    def _within(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "s":
            count = attributes.get("c", "1")
            self._manuscript.add(" " * min(int(count), _MAX_SPACES) if count.isdecimal() and len(count) < 9 else " ")
        elif name in ("tab", "line-break"):
            self._manuscript.add("\t" if name == "tab" else "\n")

    def end(self, name: str) -> None:
        if self._hidden:
            self._hidden -= 1
        elif name in _PARAGRAPHS:
            self._paragraphs -= 1
            self._manuscript.add("\t" if self._cells else "\n")
        elif name == "table-cell":
            self._cells -= 1
        elif name == "table-row":
            self._manuscript.add("\n")
        elif name in ("page", "spreadsheet"):
            self._manuscript.turn_page()

    def text(self, text: str) -> None:
        if self._paragraphs and not self._hidden:
            self._manuscript.add(text)


def read_opendocument(file: BinaryIO, manuscript: Manuscript) -> None:
    with Parts(file) as parts:
        if "META-INF/manifest.xml" in parts.names:
            manifest = leaves_of(parts, "META-INF/manifest.xml", "encryption-data")
            if "encryption-data" in manifest.attributes:
                raise LoomError("FILE_ENCRYPTED")
        with suppress(LoomError):
            _tell(parts, manuscript)
        reader = _Text(manuscript)
        with parts.pieces("content.xml") as pieces:
            read_xml(pieces, reader)
        # Texts hold tables too, so what is counted depends on what there is of it.
        if reader.slides:
            manuscript.tell(slides=reader.slides)
        elif reader.sheets and "pages" not in manuscript.facts:
            manuscript.tell(sheets=reader.sheets)


def _tell(parts: Parts, manuscript: Manuscript) -> None:
    meta = leaves_of(parts, "meta.xml", "document-statistic")
    found, counted = meta.found, meta.attributes.get("document-statistic", {})
    pages = counted.get("page-count", "")
    manuscript.tell(
        title=found.get("title"),
        author=found.get("initial-creator") or found.get("creator"),
        language=found.get("language"),
        pages=int(pages) if pages.isdecimal() and len(pages) < 8 else None,
    )
