"""What the header of a file tells, without decoding it."""

from __future__ import annotations

from typing import Any

import msgspec


class StreamInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One stream of a container. `type` is `video`, `audio`, `subtitle`, `data`, `attachment` or `cover` (a still
    picture carried as a video stream). Width and height are in pixels as coded, `rotation` in degrees clockwise to be
    applied for display, `bit_rate` in bit/s, `frame_rate` in frames a second, `duration_s` in seconds."""

    index: int
    type: str
    codec: str | None = None
    language: str | None = None
    bit_rate: int | None = None
    duration_s: float | None = None
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    frames: int | None = None
    rotation: int | None = None
    pixel_format: str | None = None
    sample_rate: int | None = None
    channels: int | None = None
    layout: str | None = None
    tags: dict[str, str] = {}


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a file from its header.

    `format` is a short name such as `jpeg` or `mov`. `width` and `height` are in pixels as displayed, so after
    `orientation` (of EXIF, 1 to 8) or `rotation` (degrees clockwise) is applied, of a video in square pixels. `frames`
    counts the pictures of an animation or pages of a picture file. `exif`, `xmp`, `iptc` and `icc` are the blocks as
    they stand in a picture; `exif` holds values by tag number, with the sub-directories under `Exif`, `GPS` and
    `Interop`, `maker` what the maker's note tells (`cortex.media.makernotes`).
    """

    format: str
    width: int | None = None
    height: int | None = None
    orientation: int | None = None
    rotation: int | None = None
    mode: str | None = None
    frames: int | None = None
    duration_s: float | None = None
    bit_rate: int | None = None
    streams: tuple[StreamInfo, ...] = ()
    chapters: int = 0
    tags: dict[str, str] = {}
    exif: dict[Any, Any] = {}
    maker: dict[str, str] = {}
    xmp: bytes | None = None
    iptc: bytes | None = None
    icc: bytes | None = None
    info: dict[str, Any] = {}

    def first(self, type: str) -> StreamInfo | None:  # noqa: A002
        """The first stream of a type."""
        return next((stream for stream in self.streams if stream.type == type), None)
