"""HTML through lxml."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from cortex.media.documents.manuscript import Manuscript
from cortex.media.text import decode
from loom.errors import LoomError

if TYPE_CHECKING:
    from lxml.etree import _Element

_CHARSET = re.compile(rb"""<meta\s[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{1,40})""", re.IGNORECASE)
_LOOK = 4096
_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_UNSEEN = frozenset({"script", "style", "template", "head", "noscript", "object", "svg", "math", "iframe", "select"})
_BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "br", "caption", "center", "dd", "div", "dl", "dt", "fieldset",
        "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "legend", "li",
        "main", "nav", "ol", "option", "p", "pre", "section", "summary", "table", "tr", "ul",
    }
)  # fmt: skip
_CELLS = frozenset({"td", "th"})


def read_html(data: bytes, manuscript: Manuscript) -> None:
    """What a browser would show, without scripts. The encoding is that of its byte order mark, else what it declares,
    else what it looks like. Raises `FILE_DAMAGED` for what holds no element."""
    read_page(_decoded(data), manuscript)


def read_page(page: str, manuscript: Manuscript) -> None:
    """The same of text."""
    from lxml import etree

    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(page.encode("utf-8", "replace"), parser)
    except etree.LxmlError as error:
        raise LoomError("FILE_DAMAGED", f"the page cannot be read: {str(error)[:200]}") from error
    if root is None:
        raise LoomError("FILE_DAMAGED", "the page holds nothing")
    _tell(root, manuscript)
    _read(root, manuscript)


def _decoded(data: bytes) -> str:
    declared = None if data.startswith((codecs.BOM_UTF8, b"\xff\xfe", b"\xfe\xff")) else _CHARSET.search(data, 0, _LOOK)
    if declared is not None:
        try:
            return data.decode(declared[1].decode("ascii"))
        except (LookupError, UnicodeError):
            pass
    return decode(data).text


def _tell(root: _Element, manuscript: Manuscript) -> None:
    title = root.find(".//title")
    manuscript.tell(language=root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang"))
    if title is not None:
        manuscript.tell(title=_SPACE.sub(" ", "".join(map(str, title.itertext()))))
    for meta in root.iter("meta"):
        if (meta.get("name") or "").lower() == "author":
            manuscript.tell(author=meta.get("content"))


def _read(root: _Element, manuscript: Manuscript) -> None:
    from lxml import etree

    hidden: _Element | None = None
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if manuscript.is_full:
            return
        name = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            if hidden is None and name in _UNSEEN:
                hidden = element
            elif hidden is None:
                _gap(name, _BLOCKS, "\n", manuscript)
                _add(element.text, manuscript)
            continue
        if hidden is element:
            hidden = None
        elif hidden is None:
            _gap(name, _BLOCKS, "\n", manuscript)
            _gap(name, _CELLS, "\t", manuscript)
        if hidden is None and element is not root:
            _add(element.tail, manuscript)


def _gap(name: str, after: frozenset[str], gap: str, manuscript: Manuscript) -> None:
    if name in after:
        manuscript.add(gap)


def _add(text: str | None, manuscript: Manuscript) -> None:
    if text:
        manuscript.add(_SPACE.sub(" ", text))
