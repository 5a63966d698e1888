"""Lists of files that someone else made: `--files-from`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from loom.errors import LoomError

CHUNK = 64 * 1024
"""Bytes read at a time; longer than any path, so that the first chunk shows what separates them."""


def open_list(name: str) -> Iterator[bytes]:
    """The paths in the list of this name, `-` for standard input, as `read_list`. Raises `USAGE` for one that cannot be
    read."""
    if name == "-":
        # not `sys.stdin`: the interpreter could not end while a thread waits for input there
        return _paths_in(open(0, "rb", closefd=False))
    try:
        return _paths_in(open(name, "rb"))
    except OSError as error:
        raise LoomError("USAGE", f"{name} cannot be read: {error.strerror}") from error


def _paths_in(file: BinaryIO) -> Iterator[bytes]:
    with file:
        yield from read_list(file)


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
