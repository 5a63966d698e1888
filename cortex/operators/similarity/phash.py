"""By what a picture is known again."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

from cortex.media.wants import Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from loom.graph.specs import Port
from loom.model import Kind

if TYPE_CHECKING:
    from cortex.media import Media
    from cortex.media.shown import Pixels
    from cortex.operators.similarity.cliphash import Hasher

_SIDE = 128
_DRAWINGS = frozenset({"image/svg+xml", "image/wmf", "image/emf"})


class PerceptualHash(MediaNode[NodeOptions]):
    """Takes the perceptual hash of a picture: 64 bits that copies of it share, whatever their size and format.

    The bits are the signs of 64 low frequencies of the brightness against their median, as pHash has them. Copies in
    another size, format or quality differ in few bits (nearly all in at most 4), graded or slightly cropped ones in
    some more; pictures that have nothing in common differ in about 32. `mirrored` is the hash that the picture would
    have if it were mirrored left to right, so that mirrored copies are found by it. Turned copies are not found, unless
    it is EXIF that turns them, nor are those of which more than a few hundredths of a side are cut off.

    A picture of one colour, or of a plain gradient, has a hash that says nothing: its bits are chance. `quality` tells
    by how many hundredths of one of 255 steps of brightness at least half of the 64 waves stand out, up to 100;
    photographs have 25 and more. Hashes of a quality below 10 are given, but neither compared nor kept for comparison.

    It works on the picture that thumbnails are made of, at 128 pixels; other nodes' larger pictures change at most a
    bit or two. Of an animation the first frame counts. Drawings without pixels (SVG, WMF, EMF) are not processed.
    Refuses FORMAT_UNSUPPORTED (no decoder), FILE_DAMAGED, FILE_TRUNCATED, FILE_EMPTY and FILE_TOO_LARGE (too many
    pixels). An example: `{id: phash, operator: image.phash}`; `dedup.similar` and `filter.duplicate` compare.
    """

    operator = "image.phash"
    outputs = (Port(id="out", content_type="hash/phash", key="phash"),)
    kinds = frozenset({Kind.IMAGE})
    reads = ()
    verdicts = False
    PHASH = OutputKey("phash", str, "16 hexadecimal digits")
    MIRRORED = OutputKey("mirrored", str, "the hash of the mirrored picture, 16 hexadecimal digits")
    QUALITY = OutputKey("quality", int, "how much the hash says, 0 to 100")

    def open(self) -> None:
        import_module("cortex.operators.similarity.cliphash")

    def wants(self) -> Wants:
        return Wants(image_side=_SIDE)

    def is_processable(self, media: Media) -> bool:
        return super().is_processable(media) and media.mime not in _DRAWINGS

    def compute(self, ctx: NodeContext, media: Media) -> None:
        import numpy as np

        phash, mirrored, quality = hashes_of(np.asarray(media.image(_SIDE).convert("L")))
        ctx.output(self.PHASH, f"{phash:016x}")
        ctx.output(self.MIRRORED, f"{mirrored:016x}")
        ctx.output(self.QUALITY, quality)


def hashes_of(grey: Pixels) -> tuple[int, int, int]:
    """Hash, hash of the mirrored picture, and quality of the brightness of a picture (height x width, 0 to 255)."""
    from cortex.operators.similarity.cliphash import as_bits

    hasher = _hasher(grey.shape)
    quality = min(round(hasher.clearness(grey) * 100), 100)
    frequencies = hasher.frequencies(grey)
    mirrored = None
    if frequencies is not None:
        # Mirrored left to right, the odd ones of the frequencies along a row change their sign.
        mirrored = (frequencies.reshape(8, 8) * _ODD_NEGATED).ravel()
    return as_bits(frequencies), as_bits(mirrored), quality


_ODD_NEGATED = [-1, 1, -1, 1, -1, 1, -1, 1]


@lru_cache(maxsize=64)
def _hasher(shape: tuple[int, int]) -> Hasher:
    from cortex.operators.similarity.cliphash import Box, Hasher

    return Hasher(shape, Box(0, 0, 1, 1))
