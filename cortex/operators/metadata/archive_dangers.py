"""Names in archives that do harm when someone unpacks them without care."""

from __future__ import annotations

import re

from cortex.operators.metadata.archive_members import DEVICE, LINK, Member

_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:")
_SIGNS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TURNS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Signs that turn the direction of writing, so that `exe` can look like `jpg`."""

_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.[^/\\]*)?", re.IGNORECASE)


def dangers_of(member: Member, is_again: bool) -> tuple[str, ...]:
    """`absolute`: leads to a fixed place; `parent`: leads out of the folder; `link`: a link that does, or of which it
    is not told where it leads; `device`: a device or pipe, or a name that Windows takes for one; `control`: control
    characters; `direction`: signs that turn the direction of writing; `again`: a name that was there before
    (`is_again`)."""
    name = member.name
    parts = re.split(r"[/\\]", name)
    found = {
        "absolute": _ABSOLUTE.match(name) is not None,
        "parent": ".." in parts,
        "link": member.kind == LINK and _leads_out(member.target, len(parts) - 1),
        "device": member.kind == DEVICE or any(_DEVICES.fullmatch(part) for part in parts),
        "control": _SIGNS.search(name) is not None,
        "direction": _TURNS.search(name) is not None,
        "again": is_again,
    }
    return tuple(danger for danger, is_so in found.items() if is_so)


def _leads_out(target: str | None, depth: int) -> bool:
    """`depth`: how many folders the link lies in."""
    if target is None or _ABSOLUTE.match(target):
        return True
    for part in re.split(r"[/\\]", target):
        depth += -1 if part == ".." else part not in ("", ".")
        if depth < 0:
            return True
    return False
