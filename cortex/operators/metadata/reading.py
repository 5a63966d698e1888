"""What `media.metadata` reads of each kind of file: normalised fields, and the groups as they stand there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from loom.errors import LoomError
from loom.model import Kind

if TYPE_CHECKING:
    from cortex.media import Media
    from cortex.media.dates import Taken
    from cortex.media.probe import Probe, StreamInfo

XMP = "application/rdf+xml"
"""A side file that tells of a picture what the picture itself does not."""

_MAX_STREAMS = 64
_MAX_TAKEN = 16

Raw = dict[str, dict[str, Any]]


def read(media: Media) -> tuple[dict[str, Any], Raw]:
    """Normalised fields and raw groups. Raises `FORMAT_UNSUPPORTED`, and what damage there is."""
    fields, raw = _by_kind(media)
    return {**_rights(raw), **fields}, raw


def _by_kind(media: Media) -> tuple[dict[str, Any], Raw]:
    if media.kind is Kind.IMAGE:
        return _of_picture(media.probe())
    if media.kind in (Kind.VIDEO, Kind.AUDIO):
        return _of_container(media.probe())
    if media.kind is Kind.TEXT:
        return _of_text(media)
    return _of_pdf(media) if media.mime == "application/pdf" else ({}, {})


def _of_picture(probe: Probe) -> tuple[dict[str, Any], Raw]:
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
    fields.update(_merged(exif.fields(probe.exif), probe.maker, xmp.fields(packet), iptc.fields(press)))
    told = [exif.moments(probe.exif), xmp.moments(packet), iptc.moments(press), exif.satellites(probe.exif)]
    fields.update(_captured([one for block in told for one in block]))
    return fields, {"exif": exif.readable(probe.exif), "xmp": packet, "iptc": press}


def _merged(*blocks: dict[str, Any]) -> dict[str, Any]:
    """The first block that has a value gives it."""
    found: dict[str, Any] = {}
    for block in reversed(blocks):
        found.update(block)
    return found


def _of_container(probe: Probe) -> tuple[dict[str, Any], Raw]:
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
    fields.update(_captured(tags.moments(together)))
    return fields, {"tags": dict(together)}


def _stream(stream: StreamInfo) -> dict[str, Any]:
    return {
        name: value for name, value in msgspec.structs.asdict(stream).items() if value is not None and name != "tags"
    }


def _of_text(media: Media) -> tuple[dict[str, Any], Raw]:
    from cortex.media import licences, xmp
    from cortex.media.text import count_words

    try:
        text, encoding = media.decoded_text()
    except LoomError as error:
        if error.code == "FILE_TOO_LARGE":
            return {}, {}
        raise
    lines = text.count("\n") + (not text.endswith("\n") and text != "")
    fields = {"encoding": encoding, "characters": len(text), "lines": lines, "words": count_words(text)}
    if (said := licences.of_text(text)) is not None:
        fields.update(license=said.id, license_from=said.source)
    if media.mime != XMP:
        return fields, {}
    packet = xmp.parse(text.encode())
    fields["side_file_for"] = packet.get("photoshop:SidecarForExtension")
    return {**fields, "format": "xmp", **xmp.fields(packet), **_captured(xmp.moments(packet))}, {"xmp": packet}


def _of_pdf(media: Media) -> tuple[dict[str, Any], Raw]:
    from cortex.media import pdf, xmp

    with media.open() as file:
        data = file.read(pdf.LOOK)
    packet = xmp.parse(found) if (found := pdf.packet(data)) else {}
    described = xmp.fields(packet)
    described.pop("captured_at", None)
    return {**described, **pdf.fields(data)}, {"xmp": packet}


def _rights(raw: Raw) -> dict[str, Any]:
    from cortex.media import licences

    said = licences.find(raw)
    return {} if said is None else {"license": said.id, "license_from": said.source}


def _captured(told: Sequence[Taken]) -> dict[str, Any]:
    """When it was taken, by the first that says so, and by all."""
    from cortex.media.dates import agreed

    first = agreed(told)
    if first is None:
        return {}
    by_all = [{name: value for name, value in one._asdict().items() if value is not None} for one in told[:_MAX_TAKEN]]
    return {
        "captured_at": first.at,
        "time_zone": first.zone,
        "captured_from": first.source,
        "captured_by_all": by_all,
    }
