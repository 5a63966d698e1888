"""What one can ask of Loom about all that it has: where copies lie, and what is alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from loom.verbs.beside import Belonging
from loom.verbs.listing import PAGE
from loom.verbs.people import Sorting

LEAST_QUALITY = 10
"""Fingerprints of a lower `quality`, of 100, say nothing: they are neither kept for comparison nor compared."""

MOST_BITS = 32
"""No greater distance is asked for: things that have nothing in common differ in half of the bits."""


MOST_MATCHES = 1000
"""No more are told at once."""


class Fingerprint(NamedTuple):
    """What one operator gives for comparison: under `key` a text of hexadecimal digits, `words` times 64 bits. A word
    of 0 stands for a part in which there is nothing to be seen, and is like nothing. `also` are keys of further values
    of the same kind by which copies are found, too."""

    operator: str
    key: str
    words: int
    also: tuple[str, ...] = ()

    def values(self, outputs: Mapping[str, Any]) -> list[bytes]:
        """The value, and those by which copies are found too; empty where these outputs have none that says anything.
        Whatever the outputs hold, nothing is raised."""
        quality = outputs.get("quality")
        if isinstance(quality, int | float) and quality < LEAST_QUALITY:
            return []
        found = [self._value(outputs.get(key)) for key in (self.key, *self.also)]
        return [value for value in found if value is not None] if found[0] is not None else []

    def _value(self, text: Any) -> bytes | None:
        if not isinstance(text, str) or len(text) != 16 * self.words:
            return None
        try:
            value = bytes.fromhex(text)
        except ValueError:
            return None
        return value if len(value) == 8 * self.words and any(value) else None


FINGERPRINTS: dict[str, Fingerprint] = {
    one.operator: one
    for one in (
        Fingerprint("image.phash", "phash", 1, ("mirrored",)),
        Fingerprint("video.fingerprint", "summary", 4),
        Fingerprint("audio.fingerprint", "hash", 4),
    )
}
"""By kind, which is the id of the operator. What is added here is kept from then on."""


class CopyAt(NamedTuple):
    """A present file of an asset."""

    host: str
    path: bytes
    mtime_ns: int


class Match(NamedTuple):
    """An asset that is alike, and by how many of 64 bits it differs, the mean over what could be compared, rounded up.
    `since` is when it became known, in microseconds since 1970."""

    asset: bytes
    distance: int
    since: int


class Library(Belonging, Sorting, Protocol):
    """Assets are named by their BLAKE3."""

    def copies(self, asset: bytes) -> list[CopyAt]:
        """Where an asset lies, by host and path; nowhere, if it is not known. Files that were put aside as duplicates
        do not count."""
        ...

    def similar(self, kind: str, value: bytes, distance: int, limit: int = PAGE) -> list[Match]:
        """The assets with a stored fingerprint of this kind (of `FINGERPRINTS`) that differs from `value` by at most
        `distance` of 64 bits, the nearest first, then those known first; at most `limit`. An asset of which all files
        are gone does not count. Raises `REQUEST_INVALID` for a kind that there is not, a value that is none of it, and
        a distance that is not of 0 to `MOST_BITS`, and a limit that is not of 1 to `MOST_MATCHES`."""
        ...

    def propose(self, kind: str, members: Sequence[tuple[bytes, int]]) -> UUID | None:
        """Puts a group of duplicates before people, once: the pending group in which they are from now on, None if
        there is nothing to decide. `kind` is `exact` for an asset of which several copies lie somewhere, `similar` for
        an asset and those that differ from it by so many bits, itself (0) first.

        Groups of similar ones do not grow together without end: an asset comes into a group that there is only if it is
        like the member of it that was known first, and brings along those of its members that are in no group."""
        ...
