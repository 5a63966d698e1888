"""Assets that belong together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import Field

from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.metadata.group_rules import Group, Thing, groups_of
from cortex.operators.similarity.likeness import NodeId
from loom.graph.specs import Port
from loom.model import Kind
from loom.verbs.beside import Shot, shot_of

if TYPE_CHECKING:
    from cortex.media import Media

_MADE = {"raw": "raw and picture", "live-photo": "live photo", "side-file": "side file", "burst": "burst"}


class AssetGroupOptions(NodeOptions):
    metadata: NodeId = Field("metadata", description="The node that tells camera and time: media.metadata.")


class AssetGroup(MediaNode[AssetGroupOptions]):
    """Finds what belongs together with a picture, film or side file, and keeps it as groups in Loom.

    `raw` (`raw`, `primary`): the same folder and name but for the ending, one camera raw and one rendered, and the same
    second and camera, as far as both tell them. `live-photo` (`primary`, `film`): the same content identifier of
    Apple's; without one the same folder and name, and a film of at most 5 s begun within 3 s of the still. `side-file`
    (`primary`, `side-file`): XMP with the whole name, or with the name but for the ending (where it says for which
    ending it is, only that); `.aae` beside pictures and films, `.thm` beside films and raw files, `.json` with the
    whole name. `burst` (`shot`): the same burst identifier; without one the same camera and folder, each at most 1 s
    after the one before; at least three shots, of which a raw file and its picture are one.

    The node `metadata` must stand before it; without what that gives only names are compared. Each pair is found by
    whoever of the two comes second, so that groups are the same whatever the order; a repetition changes nothing.
    Groups are of assets, not of files: a member that is moved stays one, and one that lies nowhere is not shown. They
    are seen in `cortex show`, at `/assets/{uuid}/groups` and on the page of each member; nobody has to confirm them.

    `groups` holds for each its UUID, kind, own role and how many others were seen. A dry run lists the groups; as it
    stores nothing, it sees only what was stored before. Ports `in` and `out`. Other kinds of media are not processed.
    It refuses no file; without a Loom it fails with `LOOM_UNREACHABLE`. An example:
    `{id: together, operator: asset.group, config: {metadata: metadata}}`.
    """

    operator = "asset.group"
    outputs = (Port(id="out", content_type="struct/group", cardinality="many", key="groups"),)
    reads = ()
    verdicts = False
    capabilities = frozenset({"database", "anew"})
    GROUPS = OutputKey("groups", list, "of each group: group (UUID, null in a dry run), kind, role, others")

    def named_nodes(self) -> tuple[str, ...]:
        return (self.options.metadata,)

    def is_processable(self, media: Media) -> bool:
        return media.kind in (Kind.IMAGE, Kind.VIDEO) or _thing(media, Shot()).is_side_file

    def compute(self, ctx: NodeContext, media: Media) -> None:
        own = _thing(media, shot_of(lambda key: ctx.upstream_output(self.options.metadata, key)))
        found = groups_of(own, ctx.library.beside(own.asset))
        ctx.output(self.GROUPS, [_kept(ctx, own.asset, group) for group in found])


def _thing(media: Media, shot: Shot) -> Thing:
    name = os.path.basename(os.fsencode(media.path))
    return Thing(media.asset.blake3, media.kind, media.mime, name, shot)


def _kept(ctx: NodeContext, own: bytes, group: Group) -> dict[str, object]:
    """Keeps a group, which a dry run lists."""
    made: list[UUID | None] = []
    others = len(group.members) - 1
    what = f"group with {others} other{'s' if others > 1 else ''}: {_MADE[group.kind]}"
    ctx.effect(what, lambda: made.append(ctx.library.group(*group)))
    uuid = made[0] if made else None
    return {
        "group": None if uuid is None else str(uuid),
        "kind": group.kind,
        "role": dict(group.members).get(own),
        "others": others,
    }
