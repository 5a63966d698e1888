"""XML read as it comes, without a tree in memory and without entities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol
from xml.parsers import expat

from cortex.media.documents.parts import Parts
from loom.errors import LoomError

_MAX_DEPTH = 2000
_MAX_LEAF = 4096


class Reader(Protocol):
    """Is told of elements and texts in order, by their names without the namespace; ids of relationships are called
    `r:id`, since some elements have an `id` besides."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, text: str) -> None: ...

    @property
    def is_full(self) -> bool:
        """Whether it wants no more."""
        ...


def read_xml(pieces: Iterable[bytes], reader: Reader) -> None:
    """Raises `FILE_DAMAGED` for what is no XML, and for entities of its own, with which a small file could grow without
    bounds or name others."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise LoomError("FILE_DAMAGED", f"its XML is nested more than {_MAX_DEPTH} deep")
        reader.start(_local(name), {_local(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        reader.end(_local(name))

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = _refuse
    try:
        for piece in pieces:
            parser.Parse(piece, False)
            if reader.is_full:
                return
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise LoomError("FILE_DAMAGED", f"its XML cannot be read: {error}") from error


def _local(name: str) -> str:
    space, _, local = name.rpartition(" ")
    return f"r:{local}" if space.endswith("/relationships") and local == "id" else local


def _refuse(*_: Any) -> None:
    raise LoomError("FILE_DAMAGED", "its XML declares entities, which no document of this format does")


class Leaves:
    """Collects the text of each element that has one, of each name the first; and attributes of `wanted` elements."""

    is_full = False

    def __init__(self, *wanted: str) -> None:
        self.found: dict[str, str] = {}
        self.attributes: dict[str, Mapping[str, str]] = {}
        self._wanted = wanted
        self._text = ""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._text = ""
        if name in self._wanted:
            self.attributes.setdefault(name, attributes)

    def end(self, name: str) -> None:
        if self._text.strip():
            self.found.setdefault(name, self._text.strip())
        self._text = ""

    def text(self, text: str) -> None:
        if len(self._text) < _MAX_LEAF:
            self._text += text[:_MAX_LEAF]


def leaves_of(parts: Parts, name: str, *wanted: str) -> Leaves:
    """Of a part that may be missing."""
    leaves = Leaves(*wanted)
    if name in parts.names:
        with parts.pieces(name) as pieces:
            read_xml(pieces, leaves)
    return leaves
