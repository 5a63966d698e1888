"""A text or a picture laid over pictures and films."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from pydantic import Field, model_validator

from cortex.derived import asset_or_file
from cortex.media.wants import PictureFeed, SoundFeed, Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.films.transcode_forms import FILMS, MB, MOST_MB, SOUNDS, TUNED, check_encoders, check_size
from cortex.operators.pictures.drawings import has_pixels
from cortex.operators.pictures.picture_files import Encoding, Format, encoded, with_opacity
from cortex.operators.pictures.watermark_places import Place, Position
from loom.graph.specs import Port
from loom.model import Kind
from loom.parts import Parts

if TYPE_CHECKING:
    from PIL.Image import Image

    from cortex.media import Media
    from cortex.operators.films.transcode_tracks import SoundEncoder
    from cortex.operators.pictures.watermark_films import MarkedEncoder

_WHOLE = 1 << 20
"""A side that no picture has that can be decoded."""
_WRITTEN = frozenset(map(chr, (10, *range(32, 127)))) | frozenset("©«°±´·»‘’“”…‹›⁄™")
"""What the font that comes with Pillow has."""
H264, RATE_FACTOR, MOST_MB_USUALLY = "h264", 22, 16_384
_SOUND_BIT_RATE = 160_000


class WatermarkOptions(NodeOptions):
    """Options that came later are left out of the config as long as they stand at their default, so that results from
    before keep their signature."""

    text: str | None = Field(None, min_length=1, max_length=200, description="What is written, if it is no picture")
    picture: str | None = Field(
        None, min_length=1, max_length=4096, description="Path of the picture that is laid over, best one with alpha"
    )
    position: Position = Field("bottom right", description="Where the mark stands")
    opacity: float = Field(0.6, gt=0, le=1, description="1 hides what is below")
    width: float = Field(0.25, ge=0.01, le=1, description="Of the mark, as a fraction of the picture's width")
    margin: float = Field(0.03, ge=0, le=0.4, description="Free of the mark, as a fraction of the shorter side")
    color: str = Field("#ffffff", pattern=r"^#[0-9a-fA-F]{6}$", description="Of the text; its outline is in contrast")
    font: str | None = Field(
        None,
        min_length=1,
        max_length=4096,
        description="Path of a TrueType or OpenType font; without it ASCII, ©, ™ and ° can be written",
    )
    size: int | None = Field(None, ge=16, le=16_384, description="The most pixels of the result's longer side")
    format: Format = Field("jpeg", description="Of the file that is made of a picture")
    quality: int = Field(85, ge=1, le=100, description="Of the encoder, for JPEG, WebP and AVIF")
    video_codec: Literal["h264", "vp9"] = Field(
        "h264",
        description="Of films: `h264` makes MP4 with AAC, `vp9` WebM with Opus",
        exclude_if=lambda given: given == H264,
    )
    rate_factor: int = Field(
        RATE_FACTOR,
        ge=10,
        le=50,
        description="Of films: constant rate factor of the encoder, smaller is better and larger",
        exclude_if=lambda given: given == RATE_FACTOR,
    )
    max_mb: int = Field(
        MOST_MB_USUALLY,
        ge=1,
        le=MOST_MB,
        description="Of films: larger files are not made, but refused as FILE_TOO_LARGE",
        exclude_if=lambda given: given == MOST_MB_USUALLY,
    )

    @model_validator(mode="after")
    def _one_mark(self) -> WatermarkOptions:
        if (self.text is None) == (self.picture is None):
            raise ValueError("give either a text or a picture")
        if self.text is not None and not self.text.strip():
            raise ValueError("the text is empty")
        if self.text is not None and self.font is None and (unknown := set(self.text) - _WRITTEN):
            raise ValueError(f"{min(unknown)!r} cannot be written without `font`: give the path of one that has it")
        return self


class Watermark(MediaNode[WatermarkOptions]):
    """Makes a copy of a picture or a film with a text or another picture over it.

    The mark is as wide as `width` says, but never higher than half of the picture nor larger than what `margin` leaves,
    and stands at `position`. A text has an outline, so that it can be read on any ground. The copy is the artifact
    `watermarked`, upright, in sRGB, with no metadata; PNG, WebP, AVIF and TIFF keep transparency, JPEG has white there.

    Of a film every frame is marked, in the pass that serves all nodes, and shown for as long as in the original. The
    copy is upright, of square pixels and even sides, 8 bits in BT.709: MP4 with H.264 and AAC (160 kbit/s), or WebM
    with VP9 and Opus, with the first sound stream in stereo at 48 kHz. Not kept: what `media.transcode` does not keep.

    `picture` and `font` are read once, when a run begins; without them nothing runs (REQUIREMENT_MISSING). A result is
    reused as long as their paths are the same: give a changed one a new name. Of an animation the first picture is
    taken. Drawings without pixels (SVG, WMF, EMF) and films without pictures are not processed. Refuses
    FORMAT_UNSUPPORTED (no decoder), FILE_DAMAGED (of films: nothing can be decoded), FILE_TRUNCATED and FILE_TOO_LARGE
    (too many pixels, or for the format, or more than `max_mb`), for films also REQUIREMENT_MISSING (FFmpeg has no such
    encoder). `{text: Studio M, position: bottom right, opacity: 0.5}` is an example.
    """

    operator = "media.watermark"
    kinds = frozenset({Kind.IMAGE, Kind.VIDEO})
    reads = ()
    verdicts = False
    inputs = asset_or_file("image")
    outputs = (Port(id="out", content_type="artifact/image", key="watermarked"),)
    WIDTH = OutputKey("width", int, "of the copy, in pixels")
    HEIGHT = OutputKey("height", int, "of the copy, in pixels")
    MEDIA_TYPE = OutputKey("media_type", str, "of the copy, such as image/jpeg or video/mp4")
    BOX = OutputKey("box", list, "left, top, width and height of the mark, in pixels of the copy")
    FRAMES = OutputKey("frames", int, "of films: number of frames of the copy")
    DURATION = OutputKey("duration_s", float, "of films: length of the copy, in seconds")

    _mark: Image | None = None

    def open(self) -> None:
        from cortex.operators.pictures import watermark_marks

        options = self.options
        if options.picture is not None:
            self._mark = watermark_marks.picture(options.picture)
        else:
            self._mark = watermark_marks.text(options.text or "", options.color, options.font)
        if options.opacity < 1:
            faded = self._mark.getchannel("A").point(lambda value: round(value * options.opacity))
            self._mark.putalpha(faded)

    def close(self) -> None:
        self._mark = None

    @property
    def _reader(self) -> str:
        """Of this node's own: what it made is used up when it is joined."""
        return f"watermark {self.id}"

    @property
    def _side(self) -> int:
        return self.options.size or _WHOLE

    @property
    def _place(self) -> Place:
        return Place(self.options.position, self.options.width, self.options.margin)

    def wants(self) -> Wants:
        return Wants(image_side=self._side, pictures={self._reader: PictureFeed(self._encoder)})

    def _encoder(self) -> MarkedEncoder:
        """Raises REQUIREMENT_MISSING."""
        from cortex.operators.films.transcode_tracks import Encoding
        from cortex.operators.pictures.watermark_films import MarkedEncoder

        encoder, container, _ = FILMS[self.options.video_codec]
        check_encoders(encoder)
        options = {**TUNED[encoder], "crf": str(self.options.rate_factor), "b": "0"}
        assert self._mark is not None, "the engine calls open() first"
        return MarkedEncoder(
            Encoding(encoder, container, options, None), self._side, self.options.max_mb * MB, self._mark, self._place
        )

    def is_processable(self, media: Media) -> bool:
        if not super().is_processable(media):
            return False
        return media.probe().first("video") is not None if media.kind is Kind.VIDEO else has_pixels(media)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        if media.kind is Kind.VIDEO:
            self._film(ctx, media)
        else:
            self._picture(ctx, media)

    def _picture(self, ctx: NodeContext, media: Media) -> None:
        shown, opacity = media.image(self._side), media.opacity(self._side)
        how = Encoding(self.options.format, self.options.quality)
        copy = shown.copy() if opacity is None or not how.keeps_opacity else with_opacity(shown, opacity)
        box = self._lay_over(copy)
        ctx.artifact("watermarked", encoded(copy, how), how.media_type)
        self._tell(ctx, copy.size, how.media_type, box)

    def _tell(self, ctx: NodeContext, size: tuple[int, int], media_type: str, box: tuple[int, ...]) -> None:
        ctx.output(self.WIDTH, size[0])
        ctx.output(self.HEIGHT, size[1])
        ctx.output(self.MEDIA_TYPE, media_type)
        ctx.output(self.BOX, list(box))

    def _lay_over(self, copy: Image) -> tuple[int, int, int, int]:
        """Draws the mark; returns where."""
        assert self._mark is not None, "the engine calls open() first"
        at, mark = self._place.laid_out(self._mark, copy.size)
        if copy.mode == "RGBA":
            copy.alpha_composite(mark, at)
        else:
            copy.paste(mark, at, mark)
        return *at, *mark.size

    def _film(self, ctx: NodeContext, media: Media) -> None:
        from cortex.operators.films.transcode_files import joined

        pictures = cast("MarkedEncoder", media.watched(self._reader, ctx.progress))
        pictures.track.end()
        tracks, length_s = [pictures.track], pictures.until_s
        if media.probe().first("audio") is not None:
            # in a pass of its own, so that no recording is encoded that has no pictures
            sound = cast(
                "SoundEncoder", media.heard_again(SoundFeed(self._sound, rate=48_000, mono=False), ctx.progress)
            )
            sound.track.end()
            tracks.append(sound.track)
            length_s = max(length_s, sound.seconds)
        _, container, media_type = FILMS[self.options.video_codec]
        data = joined(tracks, container, ctx.progress)
        check_size(data.size if isinstance(data, Parts) else len(data), self.options.max_mb)
        ctx.artifact("watermarked", data, media_type)
        stream = pictures.track.stream
        self._tell(ctx, (stream.width, stream.height), media_type, pictures.box or ())
        ctx.output(self.FRAMES, pictures.count)
        ctx.output(self.DURATION, round(length_s, 3))

    def _sound(self) -> SoundEncoder:
        from cortex.operators.films.transcode_tracks import Encoding, SoundEncoder

        form = SOUNDS["opus" if self.options.video_codec == "vp9" else "aac"]
        check_encoders(form.encoder)
        encoding = Encoding(form.encoder, FILMS[self.options.video_codec][1], {}, _SOUND_BIT_RATE)
        return SoundEncoder(encoding, "stereo", form.sample_form, self.options.max_mb * MB)
