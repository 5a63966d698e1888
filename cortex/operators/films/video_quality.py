"""What is wrong with the pictures of a film."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from pydantic import Field

from cortex.media.wants import PictureFeed, Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from loom.graph.specs import Port
from loom.model import Kind

if TYPE_CHECKING:
    from cortex.media import Media
    from cortex.media.shown import Pixels, Shown

_RATE = 2.0
_SIDE = 160
_SHARP_SIDE = 1280
_BLACK = 26
_BLACK_SHARE = 0.98
_FROZEN = 0.6
"""Mean difference of two pictures, in steps of 255, below which nothing moves; encoders leave a little."""


class QualityOptions(NodeOptions):
    blur: float = Field(0.6, gt=0, le=1, description="The blur, 0 to 1, from which on a picture counts as blurred")
    frozen_s: float = Field(2.0, ge=1, le=600, description="How long nothing may move before it counts as frozen")


class VideoQuality(MediaNode[QualityOptions]):
    """Tells what share of a film is black, frozen, blurred or interlaced, and how bright it is.

    Two frames of each second are looked at; shares are of them, 0 to 1.

    - black: 98 of 100 pixels are darker than a tenth of white;
    - frozen: nothing moves for `frozen_s`, black ones left out;
    - blurred: the blur is `blur` or more. It is measured after Crete and others, The blur effect (SPIE 6492, 2007): how
      much of the difference between neighbouring pixels a blur on purpose would take away; 0.4 is sharp, 0.65 blurred.
      Frames wider than 1280 pixels are measured at that size. Black ones are left out;
    - combed: moving edges are toothed as where two half pictures of different moments were woven into one;
    - interlaced: the file says of the frame that it consists of half pictures, be it seen or not.

    Refuses FORMAT_UNSUPPORTED (no video, no decoder), FILE_DAMAGED (no frame can be decoded), FILE_TRUNCATED (the index
    is missing) and FILE_TOO_LARGE (frames of too many pixels). Damage in the middle is passed over and counted.
    """

    operator = "video.quality"
    outputs = (Port(id="out", content_type="struct/video-quality"),)
    kinds = frozenset({Kind.VIDEO})
    reads = ()
    verdicts = False
    BRIGHTNESS = OutputKey("brightness", float, "the mean, 0 to 1")
    BLACK = OutputKey("black", float, "share of black frames")
    FROZEN = OutputKey("frozen", float, "share of frames that stand still")
    BLURRED = OutputKey("blurred", float, "share of blurred frames")
    BLUR = OutputKey("blur", float, "the median of the blur, 0 to 1; left out when all is black")
    COMBED = OutputKey("combed", float, "share of frames with toothed edges")
    INTERLACED = OutputKey("interlaced", float, "share of frames that are interlaced according to the file")
    FRAMES = OutputKey("frames", int, "number of frames that could be decoded, all of them")
    DAMAGED = OutputKey("damaged_packets", int, "parts of the video stream that could not be decoded")

    def open(self) -> None:
        import_module("cortex.operators.films.picture_faults")

    @property
    def _reader(self) -> str:
        return f"quality {self.options.model_dump_json()}"

    def wants(self) -> Wants:
        return Wants(pictures={self._reader: PictureFeed(self._make, rate=_RATE)})

    def _make(self) -> QualityReader:
        return QualityReader(self.options)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        reader = cast(QualityReader, media.watched(self._reader, ctx.progress))
        for key, count in (
            (self.BLACK, reader.black),
            (self.FROZEN, reader.frozen),
            (self.BLURRED, reader.blurred),
            (self.COMBED, reader.combed),
            (self.INTERLACED, reader.interlaced),
        ):
            ctx.output(key, round(count / reader.count, 4))
        ctx.output(self.BRIGHTNESS, round(reader.brightness / reader.count, 4))
        if (blur := reader.median_blur()) is not None:
            ctx.output(self.BLUR, blur)
        played, _ = media.played
        if played is not None:
            ctx.output(self.FRAMES, played.decoded)
            ctx.output(self.DAMAGED, played.damaged)


class QualityReader:
    """Sees two frames of each second and counts them; `brightness` is the sum."""

    def __init__(self, options: QualityOptions) -> None:
        self._options = options
        self._before: Pixels | None = None
        self._still_since: float | None = None
        self._still = 0
        self._blurs = [0] * 101
        self.count = self.black = self.frozen = self.blurred = self.combed = self.interlaced = 0
        self.brightness = 0.0

    def update(self, frame: Shown) -> None:
        from cortex.operators.films.picture_faults import blur, is_combed

        small = frame.grey(_SIDE)
        self.count += 1
        self.brightness += float(small.mean()) / 255
        self.interlaced += frame.is_interlaced
        self.combed += is_combed(frame.luma())
        if (small < _BLACK).mean() >= _BLACK_SHARE:
            self.black += 1
            self._moves(frame)
        else:
            measured = blur(frame.grey(_SHARP_SIDE))
            self._blurs[round(measured * 100)] += 1
            self.blurred += measured >= self._options.blur
            self._watch(small, frame)
        self._before = small

    def median_blur(self) -> float | None:
        """To the second decimal."""
        half, passed = sum(self._blurs) / 2, 0
        for step, count in enumerate(self._blurs):
            passed += count
            if count and passed >= half:
                return step / 100
        return None

    def _watch(self, small: Pixels, frame: Shown) -> None:
        from cortex.operators.films.picture_faults import mean_difference

        if self._before is None or mean_difference(self._before, small) >= _FROZEN:
            self._moves(frame)
            return
        self._still += 1
        if self._still_since is not None and frame.time_s - self._still_since >= self._options.frozen_s:
            self.frozen += self._still
            self._still = 0

    def _moves(self, frame: Shown) -> None:
        """The picture is a new one, and by itself the first of those that may stand still."""
        self._still_since = frame.time_s
        self._still = 1
