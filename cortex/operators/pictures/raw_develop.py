"""Pictures made of the sensor's data of camera raw files."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from cortex.media.rawtypes import RAW_MIMES
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from loom.graph.specs import Port, Requirement
from loom.model import Kind

if TYPE_CHECKING:
    from cortex.media import Media


class DevelopOptions(NodeOptions):
    size: Literal["half", "full"] = Field(
        "half", description="half: each 2 x 2 block of the sensor becomes one pixel, quickly and without interpolation"
    )
    white_balance: Literal["camera", "auto", "daylight"] = Field(
        "camera", description="camera: as it was set when the picture was taken; auto: from the picture itself"
    )
    brighten: bool = Field(True, description="Whether the picture is made as bright as 1 % of clipped pixels allow")
    format: Literal["jpeg", "webp", "tiff"] = Field("jpeg", description="tiff has 16 bits a channel, the others 8")
    quality: int = Field(90, ge=1, le=100, description="Of the encoder, for JPEG and WebP")


class Develop(MediaNode[DevelopOptions]):
    """Develops camera raw: a picture made of the sensor's data, not the preview that the camera put in.

    LibRaw (by `rawpy`) reads the data, balances white, interpolates the colours (AHD, X-Trans by its own way), turns
    the picture upright and brings it to sRGB. The result is the artifact `developed`: JPEG or WebP with 8 bits a
    channel, or TIFF with 16, without metadata. The original stays as it is.

    Only raw files are processed: CR2, CR3, CRW, NEF, ARW, RAF, DNG, ORF, RW2, RWL, PEF, SRW, MRW, X3F, 3FR, IIQ, MEF,
    MOS, DCR, KDC, ERF.
    `size: half` needs a quarter of the memory and a tenth of the time of `full`. Refuses FILE_TOO_LARGE where the work
    would take more than 900 MiB (`full` beyond some 60 megapixels, as TIFF 50, `half` beyond some 150) and for WebP of
    more than 16,383 pixels across, FORMAT_UNSUPPORTED (LibRaw does not know the camera, or the file has no sensor's
    data), FILE_DAMAGED, FILE_TRUNCATED and MEMORY_EXCEEDED; REQUIREMENT_MISSING without the extra `raw`. An example:
    `{size: full, format: tiff}`.
    """

    operator = "image.develop"
    kinds = frozenset({Kind.IMAGE})
    reads = ()
    verdicts = False
    requires = (Requirement(kind="package", name="rawpy", extra="raw"),)
    outputs = (Port(id="out", content_type="artifact/image", key="developed"),)
    WIDTH = OutputKey("width", int, "of the result, in pixels")
    HEIGHT = OutputKey("height", int, "of the result, in pixels")
    MEDIA_TYPE = OutputKey("media_type", str, "of the result, such as image/jpeg")
    BYTES = OutputKey("bytes", int, "of the result")

    def open(self) -> None:
        for name in ("rawpy", "PIL.ImageCms"):
            import_module(name)

    def is_processable(self, media: Media) -> bool:
        return super().is_processable(media) and media.mime in RAW_MIMES

    def compute(self, ctx: NodeContext, media: Media) -> None:
        from cortex.operators.pictures import raw_light

        options = self.options
        way = raw_light.Way(
            half=options.size == "half",
            white_balance=options.white_balance,
            brighten=options.brighten,
            bits=16 if options.format == "tiff" else 8,
        )
        pixels = raw_light.developed(media, way)
        ctx.progress(0.7)
        data = raw_light.encoded(pixels, options.format, options.quality)
        ctx.artifact("developed", data, f"image/{options.format}")
        ctx.output(self.HEIGHT, pixels.shape[0])
        ctx.output(self.WIDTH, pixels.shape[1])
        ctx.output(self.MEDIA_TYPE, f"image/{options.format}")
        ctx.output(self.BYTES, len(data))
