"""Paths: the ones that a scan begins with, and what lies below what."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator


def absolute(path: bytes) -> bytes:
    """The path as locations hold it. Links in it stay as they are, unless `..` follows one."""
    resolved = os.path.realpath(path) if b".." in path.split(b"/") else os.path.abspath(path)
    return b"/" + resolved.lstrip(b"/")


def real_file(path: bytes) -> bytes:
    """Where the bytes of a file lie that may be named by a link."""
    return os.path.realpath(path) if os.path.islink(path) else path


def is_address(place: bytes) -> bool:
    """Whether it is a place on another machine, such as `s3://bucket`, and not a path of this one."""
    return b"://" in place and not place.startswith(b"/")


def join(directory: bytes, name: bytes) -> bytes:
    """The path of an entry of a directory, which may be the root directory."""
    return directory + name if directory.endswith(b"/") else directory + b"/" + name


def is_at_or_below(path: bytes, folder: bytes) -> bool:
    """Both absolute; the folder may be written with a slash behind."""
    bare = folder.rstrip(b"/")
    return path.startswith(bare) and path[len(bare) : len(bare) + 1] in (b"", b"/")


def at_and_above(path: bytes) -> Iterator[bytes]:
    """An absolute path and all folders that it lies in, the nearest first."""
    yield path
    while path != b"/":
        path = os.path.dirname(path)
        yield path


def inner_first(roots: Collection[bytes]) -> list[bytes]:
    """The roots as given, but those below others before these."""
    given = set(roots)

    def depth(path: bytes) -> int:
        return sum(above in given for above in at_and_above(path)) - 1

    return sorted(roots, key=depth, reverse=True)
