"""The paths that a scan begins with."""

from __future__ import annotations

import os
from collections.abc import Collection


def absolute(path: bytes) -> bytes:
    """The path as locations hold it. Links in it stay as they are, unless `..` follows one."""
    resolved = os.path.realpath(path) if b".." in path.split(b"/") else os.path.abspath(path)
    return b"/" + resolved.lstrip(b"/")


def real_file(path: bytes) -> bytes:
    """Where the bytes of a file lie that may be named by a link."""
    return os.path.realpath(path) if os.path.islink(path) else path


def inner_first(roots: Collection[bytes]) -> list[bytes]:
    """The roots as given, but those below others before these."""
    given = set(roots)

    def depth(path: bytes) -> int:
        above = 0
        while path != b"/":
            path = os.path.dirname(path)
            above += path in given
        return above

    return sorted(roots, key=depth, reverse=True)
