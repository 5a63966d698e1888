"""Assets that belong together, as they look from outside."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from loom.shapes import AssetShape

GroupKind = Literal["raw", "live-photo", "side-file", "burst"]
GroupRole = Literal["primary", "raw", "film", "side-file", "shot"]


class GroupMember(msgspec.Struct, frozen=True, kw_only=True):
    role: GroupRole
    asset: AssetShape


class AssetGroupShape(msgspec.Struct, frozen=True, kw_only=True):
    """`raw`: a raw file and pictures that the camera made of it; `live-photo`: stills and the film of them;
    `side-file`: a picture or film and the files that tell of it; `burst`: shots in quick succession. Members that lie
    nowhere any more are left out, and so are groups of which fewer than two are left."""

    uuid: UUID
    kind: GroupKind
    members: list[GroupMember]
