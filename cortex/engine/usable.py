"""What is stored of files that are to be walked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from loom.model import Origin, StoredResult


class Usable(NamedTuple):
    """What may be used for one asset instead of computing it: results by signature, and those among them that only the
    local cache has, so that Loom is to be given them. `elsewhere`: another run has it in hand."""

    known: bool
    walked: bool
    results: dict[bytes, tuple[StoredResult, Origin]]
    uploads: tuple[StoredResult, ...] = ()
    elsewhere: bool = False


class Stored(Protocol):
    """Where stored results come from."""

    def known_sizes(self, sizes: Sequence[int]) -> set[int]: ...

    def usable(self, assets: Sequence[tuple[bytes, bytes]], signatures: Sequence[bytes]) -> list[Usable]:
        """For each asset, given with the path where it was found, what is known of it."""
        ...
