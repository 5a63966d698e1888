"""What a file says about itself: normalised, and as it stands there."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

import msgspec

from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey, output_keys
from cortex.outputs import MAX_OUTPUT
from loom.errors import LoomError
from loom.model import Kind

if TYPE_CHECKING:
    from cortex.media import Media
    from cortex.media.probe import Probe, StreamInfo

_MAX_RAW = MAX_OUTPUT - 1024
_MAX_STREAMS = 64


class Metadata(MediaNode[NodeOptions]):
    """Reads metadata: size in pixels, duration, codecs, EXIF, GPS, XMP, IPTC, tags, capture time.

    Only values that are there and valid are given; odd ones (dates of zeros, positions off the globe) stay in `raw`
    alone. Where several blocks give the same value, EXIF goes before XMP before IPTC, and tags of a container before
    those of its streams. `raw` holds the groups `exif`, `xmp`, `iptc` and `tags`, at most 64 KiB; where more was found
    the largest entries are left out and `raw_truncated` is true. Other lists and texts are cut at 64 KiB. A file of a
    format for which there is no decoder gives its type and size; one whose header is damaged fails.
    """

    operator = "media.metadata"
    version = "2"
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
    CAMERA_MAKE = OutputKey("camera_make", str)
    CAMERA_MODEL = OutputKey("camera_model", str)
    LENS = OutputKey("lens", str)
    EXPOSURE = OutputKey("exposure_s", float, "seconds")
    APERTURE = OutputKey("aperture", float, "f-number")
    ISO = OutputKey("iso", int, "sensitivity")
    FOCAL_LENGTH = OutputKey("focal_length_mm", float, "millimetres")
    FLASH = OutputKey("flash_fired", bool)
    LATITUDE = OutputKey("latitude", float, "degrees, north positive")
    LONGITUDE = OutputKey("longitude", float, "degrees, east positive")
    ALTITUDE = OutputKey("altitude_m", float, "metres above the sea")
    TITLE = OutputKey("title", str)
    DESCRIPTION = OutputKey("description", str)
    ARTIST = OutputKey("artist", str, "who made it; several names are joined by commas")
    COPYRIGHT = OutputKey("copyright", str)
    KEYWORDS = OutputKey("keywords", list, "texts")
    RATING = OutputKey("rating", int, "-1 (rejected) to 5")
    SOFTWARE = OutputKey("software", str)
    ALBUM = OutputKey("album", str)
    ALBUM_ARTIST = OutputKey("album_artist", str)
    COMPOSER = OutputKey("composer", str)
    GENRE = OutputKey("genre", str)
    TRACK = OutputKey("track", int)
    DISC = OutputKey("disc", int)
    YEAR = OutputKey("year", int)
    PAGES = OutputKey("pages", int, "of a PDF, where it shows them")
    ENCRYPTED = OutputKey("encrypted", bool, "whether a PDF is")
    ENCODING = OutputKey("encoding", str, "of a text, as Python names it")
    CHARACTERS = OutputKey("characters", int)
    LINES = OutputKey("lines", int)
    WORDS = OutputKey("words", int)
    RAW = OutputKey("raw", dict, "everything as found, by group")
    RAW_TRUNCATED = OutputKey("raw_truncated", bool, "whether entries were left out of raw")

    def compute(self, ctx: NodeContext, media: Media) -> None:
        found: dict[str, Any] = {"kind": media.kind.value, "mime": media.mime, "size": media.size}
        try:
            fields, raw = _read(media)
        except LoomError as error:
            if error.code != "FORMAT_UNSUPPORTED":
                raise
            fields, raw = {}, {}
        found.update(fields)
        raw = {group: values for group, values in raw.items() if values}
        if raw:
            found["raw"], found["raw_truncated"] = bounded(raw, _MAX_RAW)
        for key in output_keys(type(self)):
            if found.get(key.name) is not None:
                ctx.output(key, cut(found[key.name], MAX_OUTPUT))


def cut(value: Any, limit: int) -> Any:
    """A list or text without its end where it has more than `limit` bytes of JSON; other values as they are."""
    if not isinstance(value, (list, str)) or len(msgspec.json.encode(value)) <= limit:
        return value
    longest = bisect_left(range(1, len(value)), True, key=lambda n: len(msgspec.json.encode(value[:n])) > limit)
    return value[:longest]


def bounded(raw: dict[str, dict[str, Any]], limit: int) -> tuple[dict[str, dict[str, Any]], bool]:
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


def _read(media: Media) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Normalised fields and raw groups."""
    if media.kind is Kind.IMAGE:
        return _of_picture(media.probe())
    if media.kind in (Kind.VIDEO, Kind.AUDIO):
        return _of_container(media.probe())
    if media.kind is Kind.TEXT:
        return _of_text(media), {}
    return _of_pdf(media) if media.mime == "application/pdf" else ({}, {})


def _of_picture(probe: Probe) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    from cortex.media import exif, iptc, xmp

    packet = xmp.parse(probe.xmp) if probe.xmp else {}
    press = iptc.parse(probe.iptc) if probe.iptc else {}
    fields = {
        "format": probe.format,
        "width": probe.width,
        "height": probe.height,
        "orientation": probe.orientation,
        "color_mode": probe.mode,
        "frames": probe.frames,
    }
    fields.update(_merged(exif.fields(probe.exif), xmp.fields(packet), iptc.fields(press)))
    return fields, {"exif": exif.readable(probe.exif), "xmp": packet, "iptc": press}


def _merged(*blocks: dict[str, Any]) -> dict[str, Any]:
    """The first block that has a value gives it; the time and its zone come from the same one."""
    found: dict[str, Any] = {}
    for block in blocks:
        for name, value in block.items():
            if name != "time_zone" and value is not None and name not in found:
                found[name] = value
                if name == "captured_at":
                    found["time_zone"] = block.get("time_zone")
    return found


def _of_container(probe: Probe) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    from cortex.media import tags

    video, audio = probe.first("video"), probe.first("audio")
    together = {**(audio.tags if audio else {}), **(video.tags if video else {}), **probe.tags}
    fields: dict[str, Any] = {
        "format": probe.format,
        "width": probe.width,
        "height": probe.height,
        "rotation": probe.rotation,
        "duration_s": probe.duration_s,
        "bit_rate": probe.bit_rate,
        "chapters": probe.chapters,
        "streams": [_stream(stream) for stream in probe.streams[:_MAX_STREAMS]],
    }
    if video is not None:
        fields.update(video_codec=video.codec, frame_rate=video.frame_rate, frames=video.frames)
    if audio is not None:
        fields.update(audio_codec=audio.codec, sample_rate=audio.sample_rate, channels=audio.channels)
    fields.update(tags.fields(together))
    return fields, {"tags": dict(together)}


def _stream(stream: StreamInfo) -> dict[str, Any]:
    return {
        name: value for name, value in msgspec.structs.asdict(stream).items() if value is not None and name != "tags"
    }


def _of_text(media: Media) -> dict[str, Any]:
    from cortex.media.text import count_words

    try:
        text, encoding = media.decoded_text()
    except LoomError as error:
        if error.code == "FILE_TOO_LARGE":
            return {}
        raise
    lines = text.count("\n") + (not text.endswith("\n") and text != "")
    return {"encoding": encoding, "characters": len(text), "lines": lines, "words": count_words(text)}


def _of_pdf(media: Media) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    from cortex.media import pdf, xmp

    with media.open() as file:
        data = file.read(pdf.LOOK)
    packet = xmp.parse(found) if (found := pdf.packet(data)) else {}
    described = xmp.fields(packet)
    described.pop("captured_at", None)
    return {**described, **pdf.fields(data)}, {"xmp": packet}
