"""The colours that a picture mainly consists of."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic import Field

from cortex.media.wants import Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.pictures.drawings import has_pixels
from loom.graph.specs import Port
from loom.model import Kind

if TYPE_CHECKING:
    from cortex.media import Media
    from cortex.operators.pictures.colour_clusters import Main

_SIDE = 128


class DominantColorOptions(NodeOptions):
    count: int = Field(5, ge=1, le=16, description="At most so many colours")
    min_share: float = Field(0.02, ge=0, le=1, description="Colours of a smaller share of the picture are left out")


class DominantColor(MediaNode[DominantColorOptions]):
    """Finds the colours that a picture mainly consists of, with their share and a plain name.

    The pixels of the picture, reduced to 128 a side, are gathered by k-means in CIE L*a*b* (white D65; IEC 61966-2-1
    and CIE 15), begun with the frequent colours that are farthest from each other and not by chance, so that the same
    picture always gives the same; colours less than 10 apart (CIE76) become one. Transparent pixels do not count.
    `colors` lists, the largest share first, `name`, `hex` (sRGB), `lab` (L*, a*, b*) and `share` (0 to 1); the shares
    add up to less than 1 where small ones were left out. Names are black, grey, white, red, pink, orange, brown, beige,
    yellow, green, turquoise, blue and purple. Loom finds assets by them: `GET /assets?color=red`, or by
    `color=%23c04020` and `color_distance`.

    Of an animation the first picture counts. One in which everything is transparent has no colours. Drawings without
    pixels (SVG, WMF, EMF) are not processed. Refuses FORMAT_UNSUPPORTED (no decoder), FILE_DAMAGED, FILE_TRUNCATED and
    FILE_TOO_LARGE (too many pixels). `{count: 3, min_share: 0.05}` is an example.
    """

    operator = "image.dominant-color"
    kinds = frozenset({Kind.IMAGE})
    reads = ()
    verdicts = False
    outputs = (Port(id="out", content_type="struct/color", cardinality="many", key="colors"),)
    COLORS = OutputKey("colors", list, "name, hex, lab and share of each, the largest share first")
    NAME = OutputKey("name", str, "what the first is called; left out when there is none")
    HEX = OutputKey("hex", str, "the first in sRGB, such as #c04020")

    def open(self) -> None:
        import_module("cortex.operators.pictures.colour_clusters")

    def wants(self) -> Wants:
        return Wants(image_side=_SIDE)

    def is_processable(self, media: Media) -> bool:
        return super().is_processable(media) and has_pixels(media)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        from cortex.operators.pictures.colour_clusters import main_colours

        found = main_colours(media.image(_SIDE), media.opacity(_SIDE), self.options.count)
        colors = [_told(colour) for colour in found if colour.share >= self.options.min_share]
        ctx.output(self.COLORS, colors)
        if colors:
            ctx.output(self.NAME, colors[0]["name"])
            ctx.output(self.HEX, colors[0]["hex"])


def _told(colour: Main) -> dict[str, Any]:
    from cortex.operators.pictures.cielab import to_rgb
    from cortex.operators.pictures.colour_names import name_of

    red, green, blue = to_rgb(colour.lab).tolist()
    return {
        "name": str(name_of(*colour.lab)),
        "hex": f"#{red:02x}{green:02x}{blue:02x}",
        "lab": [round(value, 2) for value in colour.lab],
        "share": round(colour.share, 4),
    }
