"""Whose faces are in pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.similarity.likeness import NodeId
from loom.graph.specs import Port
from loom.model import Kind

if TYPE_CHECKING:
    from cortex.media import Media
    from loom.verbs.people import Sorted


class PeopleOptions(NodeOptions):
    of: NodeId = Field("face-embedding", description="The node that gives the vectors: vision.face-embedding.")
    distance: float = Field(
        0.5,
        gt=0,
        le=1.5,
        description="How far, in the mean, the nearest faces of a person may be from another of theirs: 1 less the"
        " cosine. What suits depends on the model; for SFace 0.5.",
    )


class People(MediaNode[PeopleOptions]):
    """Sorts faces by the people they are of, who can then be named and looked for (clustering of faces).

    It stands behind `vision.face-embedding`, named by `of`; only vectors of the same model are compared. A face goes to
    the person whose faces are nearest, the mean over the 5 nearest, if that is within `distance`; else it is of
    somebody new. Two people with whom a face would fit become one if their faces nearest to it are within `distance` of
    each other in the mean, unless they have different names or were split by people. Users name, join and split
    people: `cortex people`, `/people`; what they say holds.

    A face that is with somebody stays there, so that walking an asset again changes nothing, and neither does
    computing its vectors anew. Faces that are found anew by other options take the places of the earlier ones. Vectors
    leave with the result that they are of, and a person with the last of their faces. Faces come one asset after the
    other, those of an asset in their order; which of several people a face between them goes to depends on who came
    first, so that two libraries that were walked in different order may differ in such faces, as they do when several
    workers walk at once.

    `people` holds the UUID of the person of each face, in the order of the faces; null for faces without a vector, and
    in a dry run, which lists what it would sort and stores nothing. It is what was found at that walk: who is joined
    or split later stands in `/assets/{uuid}/people`. Ports `in` and `out`. It refuses no file; without a Loom it fails
    with `LOOM_UNREACHABLE`. An example: `{id: people, operator: vision.people, config: {of: face-embedding}}`.
    """

    operator = "vision.people"
    outputs = (Port(id="out", content_type="struct/people"),)
    kinds = frozenset({Kind.IMAGE, Kind.VIDEO})
    reads = ()
    verdicts = False
    capabilities = frozenset({"database", "anew"})
    PEOPLE = OutputKey("people", list, "UUID of the person of each face, null where there is none")
    COUNT = OutputKey("count", int, "how many different people")
    NEW = OutputKey("new", int, "how many of them were not known before")

    def named_nodes(self) -> tuple[str, ...]:
        return (self.options.of,)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        vectors = ctx.upstream_output(self.options.of, "vector") or []
        found: list[Sorted | None] = [None] * len(vectors)
        model = next((one for one in ctx.upstream_output(self.options.of, "model") or () if one), None)
        if model is not None:
            found = _sorted(ctx, media.asset.blake3, model, vectors, self.options.distance)
        ctx.output(self.PEOPLE, [None if one is None else str(one.person) for one in found])
        ctx.output(self.COUNT, len({one.person for one in found if one is not None}))
        ctx.output(self.NEW, len({one.person for one in found if one is not None and one.is_new}))


def _sorted(ctx: NodeContext, asset: bytes, model: str, vectors: list[Any], distance: float) -> list[Sorted | None]:
    """Sorts faces, which a dry run lists."""
    told: list[list[Sorted | None]] = []
    count = sum(vector is not None for vector in vectors)
    what = f"sort {count} face{'s' if count > 1 else ''} by people"
    ctx.effect(what, lambda: told.append(ctx.library.sort_faces(asset, model, vectors, distance)))
    return told[0] if told else [None] * len(vectors)
