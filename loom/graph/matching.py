"""Which assets a filter lets pass. Matching takes time linear in the name, whatever the pattern."""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from functools import lru_cache

from loom.graph.plan import AssetFilter
from loom.model import Kind

_ANY_FOLDERS = "**"


def passes(filter: AssetFilter, kind: Kind, mime: str, size: int, relative: bytes) -> bool:  # noqa: A002
    """Whether an asset passes: every field of the filter that is not empty must fit. `size` is bytes, `relative` the
    path below the scanned folder."""
    if filter.kinds and kind not in filter.kinds:
        return False
    if filter.min_size is not None and size < filter.min_size:
        return False
    if filter.max_size is not None and size > filter.max_size:
        return False
    if filter.mime and not any(_name(pattern.lower()).match(mime.lower()) for pattern in filter.mime):
        return False
    return not filter.path or _path_fits(filter.path, relative)


def _path_fits(patterns: tuple[str, ...], relative: bytes) -> bool:
    parts = _composed(relative.decode("utf-8", "surrogateescape")).split("/")
    return any(_parts_fit(_segments(pattern), parts) for pattern in patterns)


def _parts_fit(segments: tuple[re.Pattern[str] | None, ...], parts: list[str]) -> bool:
    """Wildcard matching with one level of going back: the last `**` (None) takes one more part each time."""
    s = p = 0
    star, mark = -1, 0
    while p < len(parts):
        if s < len(segments) and segments[s] is None:
            star, mark = s, p
            s += 1
        elif s < len(segments) and (segment := segments[s]) is not None and segment.match(parts[p]):
            s += 1
            p += 1
        elif star >= 0:
            mark += 1
            s, p = star + 1, mark
        else:
            return False
    return all(segment is None for segment in segments[s:])


@lru_cache(maxsize=4096)
def _segments(pattern: str) -> tuple[re.Pattern[str] | None, ...]:
    names = _composed(pattern).strip("/").split("/")
    if names[-1] == _ANY_FOLDERS:
        names.append("*")
    return tuple(None if name == _ANY_FOLDERS else _name(name) for name in names)


@lru_cache(maxsize=4096)
def _name(pattern: str) -> re.Pattern[str]:
    """`fnmatch` translates to a pattern without backtracking over `*`."""
    return re.compile(fnmatch.translate(pattern))


def _composed(text: str) -> str:
    """File systems differ in whether they compose accents; globs should not."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)
