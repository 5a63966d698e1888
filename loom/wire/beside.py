"""What operators ask and say of assets that belong together, over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from loom.assetgroups import GroupKind, GroupRole
from loom.model import Kind
from loom.verbs.beside import MOST_GROUPED, Neighbour, Shot
from loom.wire.shapes import Hex
from loom.wire.values import digest_of


class ShotWire(msgspec.Struct, frozen=True, omit_defaults=True):
    """`moment` in microseconds since 1970 on the clock of the place, `zone` in minutes ahead of UTC."""

    camera: str | None = None
    moment: int | None = None
    zone: int | None = None
    duration_ms: int | None = None
    content_id: str | None = None
    burst_id: str | None = None
    side_file_for: str | None = None


class BesideQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`asset` is the BLAKE3 of its content."""

    asset: Hex


class NeighbourWire(msgspec.Struct, frozen=True, kw_only=True):
    asset: Hex
    kind: Kind
    mime: str
    own_name_b64: bytes
    name_b64: bytes
    shot: ShotWire


class Neighbours(msgspec.Struct, frozen=True):
    items: list[NeighbourWire]


class MemberWire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    asset: Hex
    role: GroupRole


class GroupWire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Assets that belong together; `anchor` is the member by which their group is found again."""

    kind: GroupKind
    anchor: Hex | None = None
    members: Annotated[list[MemberWire], Meta(min_length=1, max_length=MOST_GROUPED)]


class Grouped(msgspec.Struct, frozen=True):
    """The group; null where too few of the members are known."""

    group: UUID | None


def neighbour_to_wire(one: Neighbour) -> NeighbourWire:
    shot = ShotWire(*one.shot)
    return NeighbourWire(
        asset=one.asset.hex(), kind=one.kind, mime=one.mime, own_name_b64=one.own_name, name_b64=one.name, shot=shot
    )


def neighbour_of_wire(wire: NeighbourWire) -> Neighbour:
    shot = Shot(*msgspec.structs.astuple(wire.shot))
    return Neighbour(digest_of(wire.asset), wire.kind, wire.mime, wire.own_name_b64, wire.name_b64, shot)
