"""What operators ask of all that Loom has."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from loom.assetgroups import GroupKind, GroupRole
from loom.errors import LoomError
from loom.service.base import Holding, now_us
from loom.store import assetgroups, assets, beside, copies, duplicates, proposals
from loom.verbs import FINGERPRINTS, PAGE, CopyAt, Match, Neighbour
from loom.verbs.library import MOST_BITS, MOST_MATCHES


class LocalLibrary(Holding):
    """See `loom.verbs.Library`."""

    def copies(self, asset: bytes) -> list[CopyAt]:
        with self._database.read() as connection:
            numbers = list(assets.known(connection, [asset]).values())
            found = copies.copies_of(connection, numbers)
            return [CopyAt(at.host, at.path, at.mtime_ns) for places in found.values() for at in places]

    def similar(self, kind: str, value: bytes, distance: int, limit: int = PAGE) -> list[Match]:
        fingerprint = FINGERPRINTS.get(kind)
        if fingerprint is None:
            raise LoomError("REQUEST_INVALID", f"There are no fingerprints of the kind {kind[:80]!r}.")
        if len(value) != 8 * fingerprint.words:
            raise LoomError("REQUEST_INVALID", f"A fingerprint of {kind} has {8 * fingerprint.words} bytes.")
        if not 0 <= distance <= MOST_BITS or not 1 <= limit <= MOST_MATCHES:
            raise LoomError(
                "REQUEST_INVALID", f"A distance is 0 to {MOST_BITS} bits of 64, and a limit 1 to {MOST_MATCHES:,}."
            )
        return self._similar.near(self._database, kind, value, distance, limit)

    def beside(self, asset: bytes) -> list[Neighbour]:
        with self._database.read() as connection:
            return beside.around(connection, asset)

    def group(self, kind: GroupKind, anchor: bytes | None, members: Sequence[tuple[bytes, GroupRole]]) -> UUID | None:
        with self._database.write() as connection:
            return assetgroups.group(connection, kind, anchor, members, now_us())

    def propose(self, kind: str, members: Sequence[tuple[bytes, int]]) -> UUID | None:
        with self._database.write() as connection:
            touched: duplicates.Touched = set()
            group = proposals.propose(connection, kind, members, now_us(), touched)
            events = duplicates.events_of(connection, touched, now_us())
        self._tell_of_groups(events)
        return group
