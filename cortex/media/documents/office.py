"""Office Open XML (ECMA-376): text documents and presentations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import BinaryIO, NamedTuple

from cortex.media.documents.flow import leaves_of, read_xml
from cortex.media.documents.manuscript import Manuscript
from cortex.media.documents.parts import Parts, beside
from loom.errors import LoomError

_AFTER = ("footnotes", "endnotes", "comments", "header", "footer")
"""Parts of a text document besides its main one, in the order in which they are read."""

_ENDS = {"p": "\n", "br": "\n", "cr": "\n", "tab": "\t", "noBreakHyphen": "-", "tr": "\n"}
_LEFT_OUT = frozenset({"Fallback", "tabs", "del", "moveFrom"})
"""The second form of what stands there already, places of tabulators, and what was deleted."""


class Link(NamedTuple):
    """A relationship of a part: its sort, such as `slide`, and the part that it leads to."""

    id: str
    sort: str
    target: str


class _Links:
    is_full = False

    def __init__(self, part: str) -> None:
        self.found: list[Link] = []
        self._part = part

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            target = beside(self._part, attributes.get("Target", ""))
            self.found.append(Link(attributes.get("Id", ""), attributes.get("Type", "").rpartition("/")[2], target))

    def end(self, name: str) -> None: ...

    def text(self, text: str) -> None: ...


def links_of(parts: Parts, part: str) -> list[Link]:
    """The relationships of a part, or of the package when it is empty."""
    folder, _, name = part.rpartition("/")
    listed = f"{folder}/_rels/{name}.rels".lstrip("/")
    links = _Links(part)
    if listed in parts.names:
        with parts.pieces(listed) as pieces:
            read_xml(pieces, links)
    return links.found


def main_part(parts: Parts) -> str:
    """Raises `FILE_DAMAGED` for a package without one."""
    for link in links_of(parts, ""):
        if link.sort == "officeDocument":
            return link.target
    raise LoomError("FILE_DAMAGED", "the package does not say which of its parts is the document")


def tell_core(parts: Parts, manuscript: Manuscript) -> None:
    """Title, author and language; a part for them that is broken says nothing."""
    with suppress(LoomError):
        for link in links_of(parts, ""):
            if link.sort == "core-properties":
                core = leaves_of(parts, link.target).found
                manuscript.tell(title=core.get("title"), author=core.get("creator"), language=core.get("language"))


class _Text:
    """What is written, with line ends where paragraphs end. Collects ids of slides in their order."""

    def __init__(self, manuscript: Manuscript) -> None:
        self._manuscript = manuscript
        self._hidden = 0
        self._in_text = False
        self.slides: list[str] = []

    @property
    def is_full(self) -> bool:
        return self._manuscript.is_full

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if self._hidden or name in _LEFT_OUT:
            self._hidden += 1
        elif name == "t":
            self._in_text = True
        elif name == "sldId" and "r:id" in attributes:
            self.slides.append(attributes["r:id"])

    def end(self, name: str) -> None:
        if self._hidden:
            self._hidden -= 1
            return
        self._in_text = False
        if name in _ENDS:
            self._manuscript.add(_ENDS[name])

    def text(self, text: str) -> None:
        if self._in_text and not self._hidden:
            self._manuscript.add(text)


def read_word(file: BinaryIO, manuscript: Manuscript) -> None:
    with Parts(file) as parts:
        main = main_part(parts)
        tell_core(parts, manuscript)
        with suppress(LoomError):
            _tell_word(parts, main, manuscript)
        _read(parts, main, manuscript)
        links = links_of(parts, main)
        for sort in _AFTER:
            for link in links:
                if link.sort == sort and link.target in parts.names:
                    manuscript.add("\n")
                    _read(parts, link.target, manuscript)


def _tell_word(parts: Parts, main: str, manuscript: Manuscript) -> None:
    """The number of pages as the program that wrote it counted them, and the language of its styles."""
    pages = leaves_of(parts, "docProps/app.xml").found.get("Pages", "")
    manuscript.tell(pages=int(pages) if pages.isdecimal() and len(pages) < 8 else None)
    for link in links_of(parts, main):
        if link.sort == "styles":
            lang = leaves_of(parts, link.target, "lang").attributes.get("lang", {})
            manuscript.tell(language=lang.get("val"))


def _read(parts: Parts, part: str, manuscript: Manuscript) -> _Text:
    reader = _Text(manuscript)
    with parts.pieces(part) as pieces:
        read_xml(pieces, reader)
    return reader


def read_presentation(file: BinaryIO, manuscript: Manuscript) -> None:
    """The slides in the order in which they are shown, each with its notes behind it."""
    with Parts(file) as parts:
        main = main_part(parts)
        tell_core(parts, manuscript)
        shown = list(_slides(parts, main, _read(parts, main, Manuscript(1)).slides))
        manuscript.tell(slides=len(shown))
        for slide in shown:
            if manuscript.is_full:
                break
            _read(parts, slide, manuscript)
            for link in links_of(parts, slide):
                if link.sort == "notesSlide" and link.target in parts.names:
                    _read(parts, link.target, manuscript)
            manuscript.turn_page()


def _slides(parts: Parts, main: str, ids: list[str]) -> Iterator[str]:
    targets = {link.id: link.target for link in links_of(parts, main) if link.sort == "slide"}
    return (targets[slide] for slide in ids if slide in targets)
