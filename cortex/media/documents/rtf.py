"""Rich Text Format, through striprtf."""

from __future__ import annotations

import re
from collections.abc import Callable

from cortex.media.documents.manuscript import Manuscript
from cortex.media.phases import as_damage

_FACTS = re.compile(r"\{\\(title|author) ([^{}]{1,2000})\}")
_LOOK = 64 * 1024


def read_rtf(data: bytes, manuscript: Manuscript) -> None:
    from striprtf.striprtf import rtf_to_text

    convert: Callable[..., str] = rtf_to_text
    source = data.decode("latin-1")
    try:
        for name, value in _FACTS.findall(source[:_LOOK]):
            manuscript.tell(**{name: convert(value, errors="replace")})
        manuscript.add(convert(source, errors="replace"))
    except (ValueError, LookupError, RecursionError, TypeError, IndexError) as error:
        raise as_damage(error) from error
