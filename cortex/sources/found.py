"""What a source hands on, and what it is told about what is wanted of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from cortex.sources.remote.files import Local, Remote
from cortex.sources.roots import join
from loom.model import FileStat


class Found(NamedTuple):
    """A file that needs work. `relative` is its path below the scanned folder. `asset` is the BLAKE3 of its content
    when Loom knows it and the stat is still the same. `known`: Loom remembers a file of this path. `lanes` are those
    that may have it, and `settles` the digest under which it is settled then; None where all may. `remote`: it lies not
    on this machine; `local` is where its bytes are meanwhile."""

    directory: bytes
    name: bytes
    relative: bytes
    stat: FileStat
    asset: bytes | None
    known: bool
    lanes: tuple[int, ...] | None = None
    settles: bytes | None = None
    remote: Remote | None = None
    local: Local | None = None

    @property
    def path(self) -> bytes:
        return join(self.directory, self.name)


class Part(NamedTuple):
    """Files that the same lanes may have, and the digest under which they are settled; None as in `Found`."""

    lanes: tuple[int, ...] | None
    settles: bytes | None


EVERYBODY = Part(None, None)

NEVER_SETTLED = bytes(32)
"""A digest under which no file counts as settled."""


@dataclass(frozen=True, kw_only=True)
class ScanOptions:
    """What a scan looks at.

    A file must match a pattern of every group of `includes` and none of `exclude`; patterns are as in `.gitignore`,
    against the path below the scanned folder. `min_size` and `max_size` are bytes, inclusive. `limit`: stop after so
    many files that need work. `rehash`: do not trust stat, every file needs work. `visit_all`: settled files do too.
    `reconcile`: tell Loom what is gone; a dry run only counts it. `away`: folders whose files are on a disk that is not
    there, and why one says so; nothing at or below them counts as gone. `apart` are folders below the scanned ones that
    are looked at by themselves: nothing in them is looked at here, and nothing in them is gone.
    """

    includes: tuple[tuple[str, ...], ...] = ()
    exclude: tuple[str, ...] = ()
    hidden: bool = False
    follow_symlinks: bool = False
    min_size: int | None = None
    max_size: int | None = None
    limit: int | None = None
    rehash: bool = False
    visit_all: bool = False
    reconcile: bool = True
    away: tuple[tuple[bytes, str], ...] = ()
    apart: frozenset[bytes] = frozenset()
