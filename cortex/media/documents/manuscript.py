"""Where the readers of all formats put what they find."""

from __future__ import annotations

import re
from typing import Any

from cortex.media.values import clean_text

PAGE = "\f"
"""Stands between pages, slides and sheets."""

_CONTROLS = dict.fromkeys(c for c in range(0xA0) if (c < 32 and c not in (9, 10, 12)) or c >= 0x7F)
_ENDS = re.compile(r"\r\n?")
_BLANKS = re.compile(r"[ \t]+\n")
_GAPS = re.compile(r"\n{3,}")
_PAGE_ENDS = re.compile(r"\s*\f\s*")


class Manuscript:
    """The text of one document, at most `limit` characters of it, and its facts: `title`, `author` and `language` as
    texts, `pages`, `slides` or `sheets` as numbers, `attachments` as a list of objects."""

    def __init__(self, limit: int) -> None:
        self.facts: dict[str, Any] = {}
        self.truncated = False
        self._pieces: list[str] = []
        self._left = limit

    @property
    def is_full(self) -> bool:
        """Whether something was left out already, so that reading on is in vain."""
        return self.truncated

    def add(self, text: str) -> None:
        if len(text) > self._left:
            self.truncated = True
            text = text[: self._left]
        self._left -= len(text)
        self._pieces.append(text)

    def turn_page(self) -> None:
        """What follows is on the next page, slide or sheet."""
        self._pieces.append(PAGE)

    def tell(self, **facts: Any) -> None:
        """Facts that are known; of each the first that was told counts. Texts are cleaned, empty ones left out."""
        for name, value in facts.items():
            told = clean_text(value) if isinstance(value, str | bytes) else value
            if told is not None:
                self.facts.setdefault(name, told)

    def text(self) -> str:
        """All of it, with line feeds alone, at most one empty line in a row, and without control characters and halves
        of characters."""
        text = _ENDS.sub("\n", "".join(self._pieces)).translate(_CONTROLS)
        text = text.encode("utf-8", "replace").decode("utf-8")
        text = _GAPS.sub("\n\n", _BLANKS.sub("\n", text))
        return _PAGE_ENDS.sub(PAGE, text).strip()
