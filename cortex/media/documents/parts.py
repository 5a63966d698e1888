"""Documents that are ZIP archives: their parts, opened within bounds."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

from cortex.media.phases import as_damage
from loom.errors import LoomError

MAX_PARTS = 50_000
"""More parts than any document has that a person wrote."""

MAX_UNPACKED = 256 * 1024 * 1024
"""How many bytes of parts are unpacked of one document."""

_ENCRYPTED = 0x1


class Parts:
    """The parts of a document by name. Raises `LoomError`: FILE_DAMAGED, FILE_ENCRYPTED, FILE_TOO_LARGE,
    FORMAT_UNSUPPORTED."""

    def __init__(self, file: BinaryIO) -> None:
        try:
            self._archive = ZipFile(file)
        except (BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise as_damage(error) from error
        self.names = frozenset(self._archive.namelist())
        self._left = MAX_UNPACKED
        if len(self.names) > MAX_PARTS:
            raise LoomError("FILE_TOO_LARGE", f"the document has {len(self.names):,} parts")

    def __enter__(self) -> Parts:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    @contextmanager
    def pieces(self, name: str) -> Iterator[Iterator[bytes]]:
        """The bytes of a part, piece by piece. A part that is not there is damage."""
        if name not in self.names:
            raise LoomError("FILE_DAMAGED", f"the document has no part {name[:200]!r}")
        info = self._archive.getinfo(name)
        if info.flag_bits & _ENCRYPTED:
            raise LoomError("FILE_ENCRYPTED")
        try:
            with self._archive.open(info) as part:
                yield self._bounded(iter(lambda: part.read(64 * 1024), b""))
        except LoomError:
            raise
        except Exception as error:
            raise as_damage(error) from error

    def _bounded(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._left -= len(piece)
            if self._left < 0:
                raise LoomError("FILE_TOO_LARGE", f"unpacked, the document has more than {MAX_UNPACKED:,} bytes")
            yield piece


def beside(part: str, target: str) -> str:
    """The name of the part that `target` leads to, written in `part`."""
    if target.startswith("/"):
        return target.lstrip("/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(part), target))
