"""Duplicates are put before people: files of the same content, and content that is alike."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import Field

from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.similarity.likeness import Distance, NodeId, alike, copies_that_lie, likeness_of
from loom.graph.specs import Port
from loom.verbs.library import MOST_MATCHES

if TYPE_CHECKING:
    from cortex.media import Media


class ExactDuplicates(MediaNode[NodeOptions]):
    """Puts before people that the content of a file lies at several places.

    An asset is its content, so exact duplicates are files of one asset: its present locations, on all hosts, without
    those that were put aside as duplicates. Where there are several, one pending group of the kind `exact` is proposed;
    `group` is its UUID, null where there is nothing to decide, and `copies` how many files there are. Loom suggests
    which to keep; nothing is moved before people have confirmed the group.

    It is asked anew at each walk of the asset. Copies that turn up later, also later in the same run, are proposed by
    Loom itself when it is told of them: the stored result says that copies of this asset are looked for. What people
    have decided is not proposed again.

    A dry run lists the proposal; as it stores nothing, it knows only copies that were stored before. Ports `in` and
    `out`; needs nothing before it. It refuses no file; without a Loom it fails with `LOOM_UNREACHABLE`.
    """

    operator = "dedup.exact"
    outputs = (Port(id="out", content_type="struct/duplicates"),)
    reads = ()
    verdicts = False
    capabilities = frozenset({"database", "anew"})
    COPIES = OutputKey("copies", int, "how many present files have this content")
    GROUP = OutputKey("group", object, "UUID of the pending group, null if there is none")

    def compute(self, ctx: NodeContext, media: Media) -> None:
        asset = media.asset.blake3
        copies = copies_that_lie(ctx.library.copies(asset))
        group: UUID | None = None
        if len(copies) > 1:
            group = _proposed(ctx, f"propose {len(copies)} files of the same content", "exact", [(asset, 0)])
        ctx.output(self.COPIES, len(copies))
        ctx.output(self.GROUP, None if group is None else str(group))


class SimilarOptions(NodeOptions):
    of: NodeId = Field(
        description="The node whose fingerprints are compared: image.phash, video.fingerprint or audio.fingerprint."
    )
    distance: Distance | None = Field(
        None,
        description="The most bits of 64 in which two that are alike differ; by default what suits the kind of"
        " fingerprint: 8 for pictures and films, 12 for sound.",
    )


class SimilarDuplicates(MediaNode[SimilarOptions]):
    """Puts before people what is like the asset: a picture, film or recording in another size, format or quality.

    The node `of` must stand before this one and give fingerprints; only fingerprints of the same kind are compared, and
    those that say nothing (pictures of one colour) are left out. All assets within `distance` that Loom has and that
    lie somewhere are `similar`: how many there are, at most 1,000. With them the asset goes into a pending group of the
    kind `similar`, whose UUID is `group`, null if there is none. Nothing is moved before people have confirmed it.

    Groups do not grow together without end: an asset comes into a group that there is only if it is within `distance`
    of the member that was known first, and brings along what is like it and in no group. So all members differ from the
    first by at most twice the distance, and two that are alike may stand apart where two groups meet. Each pair is
    found by whoever of the two comes second, so that what is stored stays true; a repetition changes nothing.

    A dry run lists the proposal; as it stores nothing, it compares only with what was stored before. Ports `in` and
    `out`. It refuses no file; where `of` gave nothing, nothing is alike; without a Loom it fails with
    `LOOM_UNREACHABLE`. An example: `{id: alike, operator: dedup.similar, config: {of: phash, distance: 6}}`.
    """

    operator = "dedup.similar"
    outputs = (Port(id="out", content_type="struct/duplicates"),)
    reads = ()
    verdicts = False
    capabilities = frozenset({"database", "anew"})
    SIMILAR = OutputKey("similar", int, "how many other assets are alike")
    NEAREST = OutputKey("nearest", object, "by how many bits of 64 the nearest differs, null if there is none")
    GROUP = OutputKey("group", object, "UUID of the pending group, null if there is none")

    def named_nodes(self) -> tuple[str, ...]:
        return (self.options.of,)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        asset = media.asset.blake3
        likeness = likeness_of(ctx, self.options.of)
        others = [] if likeness is None else alike(ctx.library, likeness, self.options.distance, asset).others
        group: UUID | None = None
        if others:
            members = [(asset, 0), *((other.asset, other.distance) for other in others)]
            what = "1 asset that is" if len(others) == 1 else f"{len(others)} assets that are"
            group = _proposed(ctx, f"propose {what} similar", "similar", members[: MOST_MATCHES + 1])
        ctx.output(self.SIMILAR, len(others))
        ctx.output(self.NEAREST, others[0].distance if others else None)
        ctx.output(self.GROUP, None if group is None else str(group))


def _proposed(ctx: NodeContext, what: str, kind: str, members: list[tuple[bytes, int]]) -> UUID | None:
    """Proposes a group, which a dry run lists."""
    groups: list[UUID | None] = []
    ctx.effect(what, lambda: groups.append(ctx.library.propose(kind, members)))
    return groups[0] if groups else None
