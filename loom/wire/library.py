"""What operators ask of all that Loom has, over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from loom.verbs import PAGE, CopyAt, Match
from loom.verbs.library import MOST_BITS, MOST_MATCHES
from loom.wire.shapes import Hex, Name
from loom.wire.values import digest_of

Bits = Annotated[int, Meta(ge=0, le=64)]


class CopiesQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`asset` is the BLAKE3 of its content."""

    asset: Hex


class CopyWire(msgspec.Struct, frozen=True, kw_only=True):
    host: str
    path_b64: bytes
    mtime_ns: int


class Copies(msgspec.Struct, frozen=True):
    items: list[CopyWire]


class SimilarQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`kind` is the operator that takes such fingerprints, `value` one of them; `distance` in bits of 64."""

    kind: Name
    value: Annotated[str, Meta(pattern="^[0-9a-f]+$", max_length=4096)]
    distance: Annotated[int, Meta(ge=0, le=MOST_BITS)]
    limit: Annotated[int, Meta(ge=1, le=MOST_MATCHES)] = PAGE


class MatchWire(msgspec.Struct, frozen=True, kw_only=True):
    """`since` is when the asset became known, in microseconds since 1970."""

    asset: Hex
    distance: Bits
    since: int


class Matches(msgspec.Struct, frozen=True):
    items: list[MatchWire]


class AlikeWire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`distance` is by how many bits it differs from the first."""

    asset: Hex
    distance: Bits


class ProposalWire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An asset of which several copies lie somewhere, or one and those that are like it."""

    kind: Literal["exact", "similar"]
    members: Annotated[list[AlikeWire], Meta(min_length=1, max_length=MOST_MATCHES + 1)]


class Proposed(msgspec.Struct, frozen=True):
    """The pending group; null where there is nothing to decide."""

    group: UUID | None


def copy_to_wire(copy: CopyAt) -> CopyWire:
    return CopyWire(host=copy.host, path_b64=copy.path, mtime_ns=copy.mtime_ns)


def copy_of_wire(wire: CopyWire) -> CopyAt:
    return CopyAt(wire.host, wire.path_b64, wire.mtime_ns)


def match_to_wire(match: Match) -> MatchWire:
    return MatchWire(asset=match.asset.hex(), distance=match.distance, since=match.since)


def match_of_wire(wire: MatchWire) -> Match:
    return Match(digest_of(wire.asset), wire.distance, wire.since)
