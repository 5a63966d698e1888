"""Spreadsheets: Office Open XML (ECMA-376) by its XML, the older binary form through calamine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import BinaryIO

from cortex.media.documents.flow import read_xml
from cortex.media.documents.manuscript import Manuscript
from cortex.media.documents.office import links_of, main_part, tell_core
from cortex.media.documents.parts import Parts
from cortex.media.phases import as_damage
from loom.errors import LoomError

_MAX_STRINGS = 20_000_000
"""How many characters of shared texts are kept."""

_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""Numbers of built-in formats that show dates and times (ECMA-376-1, 18.8.30)."""

_DATE_CODE = re.compile(r"[ymdhs]", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.')
_MAX_DAYS = 2_958_465


class _Workbook:
    """The names of the sheets and the ids of their parts, in order."""

    is_full = False

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        self.from_1904 = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "sheet":
            self.sheets.append((attributes.get("name", ""), attributes.get("r:id", "")))
        elif name == "workbookPr":
            self.from_1904 = attributes.get("date1904") in ("1", "true")

    def end(self, name: str) -> None: ...

    def text(self, text: str) -> None: ...


class _Strings:
    """Texts that cells share, without the small signs above them."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._pieces: list[str] = []
        self._in_text = False
        self._hidden = 0
        self._left = _MAX_STRINGS

    @property
    def is_full(self) -> bool:
        return self._left <= 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._hidden += name == "rPh" or self._hidden > 0
        self._in_text = name == "t"

    def end(self, name: str) -> None:
        self._in_text = False
        self._hidden -= self._hidden > 0
        if name == "si":
            self.found.append("".join(self._pieces))
            self._pieces.clear()

    def text(self, text: str) -> None:
        if self._in_text and not self._hidden:
            self._left -= len(text)
            self._pieces.append(text)


class _Styles:
    """Which styles of cells show dates."""

    is_full = False

    def __init__(self) -> None:
        self.dates: set[int] = set()
        self._formats = set(_DATES)
        self._in_cells = False
        self._count = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "numFmt" and _DATE_CODE.search(_QUOTED.sub("", attributes.get("formatCode", ""))):
            self._formats.add(_number(attributes.get("numFmtId")))
        elif name == "cellXfs":
            self._in_cells = True
        elif name == "xf" and self._in_cells:
            if _number(attributes.get("numFmtId")) in self._formats:
                self.dates.add(self._count)
            self._count += 1

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._in_cells = False

    def text(self, text: str) -> None: ...


class _Sheet:
    """The cells of a row side by side, a row a line; empty ones are left out."""

    def __init__(self, manuscript: Manuscript, strings: list[str], dates: set[int], epoch: datetime) -> None:
        self._manuscript = manuscript
        self._strings = strings
        self._dates = dates
        self._epoch = epoch
        self._row: list[str] = []
        self._sort = ""
        self._style = 0
        self._value: list[str] = []
        self._in_value = False

    @property
    def is_full(self) -> bool:
        return self._manuscript.is_full

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "c":
            self._sort, self._style = attributes.get("t", "n"), _number(attributes.get("s", "0"))
            self._value.clear()
        self._in_value = name in ("v", "t")

    def end(self, name: str) -> None:
        self._in_value = False
        if name == "c":
            if shown := self._shown("".join(self._value)):
                self._row.append(shown)
        elif name == "row":
            if self._row:
                self._manuscript.add("\t".join(self._row) + "\n")
            self._row.clear()

    def text(self, text: str) -> None:
        if self._in_value:
            self._value.append(text)

    def _shown(self, value: str) -> str:
        if self._sort == "s":
            number = _number(value)
            return self._strings[number] if 0 <= number < len(self._strings) else ""
        if self._sort == "b":
            return "TRUE" if value == "1" else "FALSE"
        if self._sort == "n" and self._style in self._dates:
            return _date(value, self._epoch) or value
        return value


def read_sheets(file: BinaryIO, manuscript: Manuscript) -> None:
    with Parts(file) as parts:
        main = main_part(parts)
        tell_core(parts, manuscript)
        book, strings, styles = _Workbook(), _Strings(), _Styles()
        with parts.pieces(main) as pieces:
            read_xml(pieces, book)
        links = links_of(parts, main)
        manuscript.tell(sheets=len(book.sheets))
        for sort, reader in (("sharedStrings", strings), ("styles", styles)):
            for link in links:
                if link.sort == sort:
                    with parts.pieces(link.target) as pieces:
                        read_xml(pieces, reader)
        targets = {link.id: link.target for link in links if link.sort == "worksheet"}
        # The year 1900 counts as a leap year there, so that from its March on days are counted from 30 December 1899.
        epoch = datetime(1904, 1, 1) if book.from_1904 else datetime(1899, 12, 30)
        for name, number in book.sheets:
            if manuscript.is_full:
                break
            manuscript.add(f"{name}\n")
            if number in targets:
                with parts.pieces(targets[number]) as pieces:
                    read_xml(pieces, _Sheet(manuscript, strings.found, styles.dates, epoch))
            manuscript.turn_page()


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() and len(text) < 10 else -1


def _date(value: str, epoch: datetime) -> str | None:
    with suppress(ValueError):
        days = float(value)
        if 0 <= days < 1:
            return (epoch + timedelta(days=days, microseconds=500)).strftime("%H:%M:%S")
        if days < _MAX_DAYS:
            moment = epoch + timedelta(seconds=round(days * 86_400))
            return f"{moment:%Y-%m-%d}" if days == int(days) else f"{moment:%Y-%m-%d %H:%M:%S}"
    return None


def read_old_sheets(file: BinaryIO, manuscript: Manuscript) -> None:
    """The binary form of before 2007 ([MS-XLS])."""
    from python_calamine import CalamineWorkbook, PasswordError

    try:
        with CalamineWorkbook.from_filelike(file) as book:
            manuscript.tell(sheets=len(book.sheet_names))
            for name in book.sheet_names:
                if manuscript.is_full:
                    break
                manuscript.add(f"{name}\n")
                for row in book.get_sheet_by_name(name).iter_rows():
                    cells = [str(cell) for cell in row if cell not in ("", None)]
                    manuscript.add("\t".join(cells) + "\n" if cells else "")
                manuscript.turn_page()
    except PasswordError as error:
        raise LoomError("FILE_ENCRYPTED") from error
    except Exception as error:
        raise as_damage(error) from error
