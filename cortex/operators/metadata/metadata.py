"""What a file says about itself: normalised, and as it stands there."""

from __future__ import annotations

from bisect import bisect_left
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import Field

from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey, output_keys
from cortex.operators.metadata.reading import Raw, read
from cortex.outputs import MAX_OUTPUT
from loom.errors import LoomError
from loom.graph.specs import Port

if TYPE_CHECKING:
    from cortex.media import Media

_MAX_RAW = MAX_OUTPUT - 1024
_MOST_OF_CHARACTER = 6
"""Bytes that JSON needs for one, as for \\u0001."""
_PLACES = frozenset(
    {"City", "Sub-location", "Province-State", "Country-PrimaryLocationName", "Country-PrimaryLocationCode"}
    | {"photoshop:City", "photoshop:State", "photoshop:Country", "Iptc4xmpCore:CountryCode"}
)
"""Raw entries that say in words where something was taken."""


class Gps(StrEnum):
    """What becomes of the place of capture."""

    KEEP = "keep"
    ROUND = "round"
    DROP = "drop"


class MetadataOptions(NodeOptions):
    gps: Gps = Field(
        Gps.KEEP,
        description="The place of capture is kept, rounded to `gps_decimals`, or dropped; `raw` has it only if kept.",
    )
    gps_decimals: int = Field(2, ge=0, le=6, description="Decimals of a degree that rounding leaves; 2 is about 1 km.")


class Metadata(MediaNode[MetadataOptions]):
    """Reads metadata: size in pixels, duration, codecs, EXIF, GPS, XMP, IPTC, tags, capture time, licence.

    `{gps: round, gps_decimals: 1}` is an example, which leaves the place of capture to about ten kilometres.

    Only values that are there and valid are given; odd ones (dates of zeros, positions off the globe) stay in `raw`
    alone. Where several blocks give the same value, EXIF goes before XMP before IPTC, and tags of a container before
    those of its streams. The time of capture is that of the first block that tells one, `captured_from` says which,
    and `captured_by_all` has what every place of the file says; a zone is taken over from a place that shows the same
    time of day. An XMP side file is read as what stands inside a picture. `license` is SPDX's identifier for what the
    statements of rights name, `LicenseRef-all-rights-reserved` where they reserve all, `LicenseRef-public-domain`
    where they reserve nothing.

    `raw` holds the groups `exif`, `xmp`, `iptc` and `tags`, at most 64 KiB; where more was found the largest entries
    are left out and `raw_truncated` is true. Other lists and texts are cut at 64 KiB. A file of a format for which
    there is no decoder gives its type and size; one whose header is damaged fails with `FILE_DAMAGED` or
    `FILE_TRUNCATED`.
    """

    operator = "media.metadata"
    version = "3"
    outputs = (Port(id="out", content_type="struct/metadata"),)
    reads = ()
    verdicts = False

    KIND = OutputKey("kind", str, "image, video, audio, document, text or other")
    MIME = OutputKey("mime", str, "media type, told from the content")
    SIZE = OutputKey("size", int, "bytes")
    FORMAT = OutputKey("format", str, "short name of the format, such as jpeg or mov")
    WIDTH = OutputKey("width", int, "pixels as displayed, after orientation or rotation; square ones of a video")
    HEIGHT = OutputKey("height", int, "pixels as displayed")
    ORIENTATION = OutputKey("orientation", int, "EXIF's orientation as stored, 1 to 8")
    ROTATION = OutputKey("rotation", int, "degrees clockwise by which a video is turned for display")
    COLOR_MODE = OutputKey("color_mode", str, "Pillow's mode of the picture as stored, such as RGB or CMYK")
    FRAMES = OutputKey("frames", int, "pictures of an animation, pages of a picture file, frames of a video if told")
    DURATION = OutputKey("duration_s", float, "seconds")
    BIT_RATE = OutputKey("bit_rate", int, "bits a second, all streams together")
    FRAME_RATE = OutputKey("frame_rate", float, "frames a second, the average")
    VIDEO_CODEC = OutputKey("video_codec", str, "of the first video stream")
    AUDIO_CODEC = OutputKey("audio_codec", str, "of the first sound stream")
    SAMPLE_RATE = OutputKey("sample_rate", int, "samples a second of the first sound stream")
    CHANNELS = OutputKey("channels", int, "of the first sound stream")
    STREAMS = OutputKey("streams", list, "every stream of a container, at most 64")
    CHAPTERS = OutputKey("chapters", int, "number of chapters")
    CAPTURED_AT = OutputKey("captured_at", str, "ISO 8601; with its offset when the zone is known, else local time")
    TIME_ZONE = OutputKey("time_zone", str, "offset of the place of capture, such as +02:00")
    CAPTURED_FROM = OutputKey("captured_from", str, "where captured_at stands, such as exif/DateTimeOriginal")
    CAPTURED_BY_ALL = OutputKey("captured_by_all", list, "all that say when: {source, at, zone}, at most 16")
    CAMERA_MAKE = OutputKey("camera_make", str, "who made the camera")
    CAMERA_MODEL = OutputKey("camera_model", str, "what the maker calls it")
    LENS = OutputKey("lens", str, "model of the lens")
    EXPOSURE = OutputKey("exposure_s", float, "seconds")
    APERTURE = OutputKey("aperture", float, "f-number")
    ISO = OutputKey("iso", int, "sensitivity")
    FOCAL_LENGTH = OutputKey("focal_length_mm", float, "millimetres")
    FLASH = OutputKey("flash_fired", bool, "whether the flash fired")
    LATITUDE = OutputKey("latitude", float, "degrees, north positive")
    LONGITUDE = OutputKey("longitude", float, "degrees, east positive")
    ALTITUDE = OutputKey("altitude_m", float, "metres above the sea")
    TITLE = OutputKey("title", str, "of the picture, film, piece or document")
    DESCRIPTION = OutputKey("description", str, "in the words of who wrote it")
    ARTIST = OutputKey("artist", str, "who made it; several names are joined by commas")
    COPYRIGHT = OutputKey("copyright", str, "the statement of rights, as it stands")
    LICENSE = OutputKey("license", str, "identifier of SPDX, such as CC-BY-4.0")
    LICENSE_FROM = OutputKey("license_from", str, "where it stands, such as xmp/cc:license")
    KEYWORDS = OutputKey("keywords", list, "texts")
    RATING = OutputKey("rating", int, "-1 (rejected) to 5")
    SOFTWARE = OutputKey("software", str, "the program that wrote it")
    CONTENT_ID = OutputKey("content_id", str, "the same in a still and the film of it, where Apple's devices tell it")
    BURST_ID = OutputKey("burst_id", str, "the same in all shots of a burst, where Apple's devices tell it")
    SIDE_FILE_FOR = OutputKey("side_file_for", str, "of a side file: the ending of the picture that it tells of")
    ALBUM = OutputKey("album", str, "of music")
    ALBUM_ARTIST = OutputKey("album_artist", str, "of the album as a whole")
    COMPOSER = OutputKey("composer", str, "of music")
    GENRE = OutputKey("genre", str, "as the tags call it")
    TRACK = OutputKey("track", int, "number on its disc")
    DISC = OutputKey("disc", int, "number in the album")
    YEAR = OutputKey("year", int, "of publication, as the tags say")
    PAGES = OutputKey("pages", int, "of a PDF, where it shows them")
    ENCRYPTED = OutputKey("encrypted", bool, "whether a PDF is")
    ENCODING = OutputKey("encoding", str, "of a text, as Python names it")
    CHARACTERS = OutputKey("characters", int, "of a text")
    LINES = OutputKey("lines", int, "of a text")
    WORDS = OutputKey("words", int, "of a text, as white space divides it")
    RAW = OutputKey("raw", dict, "everything as found, by group")
    RAW_TRUNCATED = OutputKey("raw_truncated", bool, "whether entries were left out of raw")

    def compute(self, ctx: NodeContext, media: Media) -> None:
        found: dict[str, Any] = {"kind": media.kind.value, "mime": media.mime, "size": media.size}
        try:
            fields, raw = read(media)
        except LoomError as error:
            if error.code != "FORMAT_UNSUPPORTED":
                raise
            fields, raw = {}, {}
        found.update(fields)
        raw = {group: values for group, values in self._placed(found, raw).items() if values}
        if raw:
            found["raw"], found["raw_truncated"] = bounded(raw, _MAX_RAW)
        for key in output_keys(type(self)):
            if found.get(key.name) is not None:
                ctx.output(key, cut(found[key.name], MAX_OUTPUT))

    def _placed(self, found: dict[str, Any], raw: Raw) -> Raw:
        """Rounds or drops the place in `found`; the raw values without it."""
        if self.options.gps is Gps.KEEP:
            return raw
        for name in ("latitude", "longitude"):
            if name in found and self.options.gps is Gps.ROUND:
                found[name] = round(found[name], self.options.gps_decimals)
            else:
                found.pop(name, None)
        found.pop("altitude_m", None)
        return {
            group: {name: value for name, value in values.items() if not _tells_place(name)}
            for group, values in raw.items()
        }


def _tells_place(name: str) -> bool:
    """Whether a raw entry says where it was, by its name: EXIF's and XMP's GPS, places in words, ISO 6709."""
    low = name.lower()
    return any(word in low for word in ("gps", "location", "geotag")) or name in _PLACES


def cut(value: Any, limit: int) -> Any:
    """A list or text without its end where it has more than `limit` bytes of JSON; other values as they are."""
    if not isinstance(value, (list, str)) or (isinstance(value, str) and len(value) * _MOST_OF_CHARACTER < limit - 2):
        return value
    if len(msgspec.json.encode(value)) <= limit:
        return value
    longest = bisect_left(range(1, len(value)), True, key=lambda n: len(msgspec.json.encode(value[:n])) > limit)
    return value[:longest]


def bounded(raw: Raw, limit: int) -> tuple[Raw, bool]:
    """The groups within `limit` bytes of JSON, the largest entries left out first; whether any was."""
    total = len(msgspec.json.encode(raw))
    if total <= limit:
        return raw, False
    sizes = [
        (len(msgspec.json.encode({key: value})), group, key) for group, e in raw.items() for key, value in e.items()
    ]
    kept = {group: dict(entries) for group, entries in raw.items()}
    for size, group, key in sorted(sizes, reverse=True):
        if total <= limit:
            break
        del kept[group][key]
        total -= size
    return {group: entries for group, entries in kept.items() if entries}, True
