"""Lists of files that someone else made: `--files-from`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

CHUNK = 64 * 1024
"""Bytes read at a time; longer than any path, so that the first chunk shows what separates them."""


def read_list(file: BinaryIO) -> Iterator[bytes]:
    """The paths in a list, lazily and in order: separated by NUL if there is one in the first 64 KiB, else by newline.
    Empty ones are passed over."""
    chunk = file.read(CHUNK)
    separator = b"\0" if b"\0" in chunk else b"\n"
    rest = b""
    while chunk:
        *paths, rest = (rest + chunk).split(separator)
        yield from filter(None, paths)
        chunk = file.read(CHUNK)
    if rest:
        yield rest
