"""The forms of the films and recordings that are made: codecs, encoders, containers."""

from __future__ import annotations

from typing import NamedTuple

from loom.errors import LoomError

MB = 1024 * 1024
MOST_MB = 262_144
"""The largest derived file that can be asked for."""


class SoundForm(NamedTuple):
    """How a codec is encoded. `bits`: its bit rate is given."""

    encoder: str
    sample_form: str
    bits: bool
    container: str
    media_type: str


SOUNDS = {
    "aac": SoundForm("aac", "fltp", True, "mp4", "audio/mp4"),
    "opus": SoundForm("libopus", "flt", True, "ogg", "audio/ogg"),
    "flac": SoundForm("flac", "s16", False, "flac", "audio/flac"),
    "mp3": SoundForm("libmp3lame", "fltp", True, "mp3", "audio/mpeg"),
}
FILMS = {"h264": ("libx264", "mp4", "video/mp4"), "vp9": ("libvpx-vp9", "webm", "video/webm")}
"""Encoder, container and media type."""
TUNED = {
    "libx264": {"preset": "veryfast", "threads": "1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "7", "row-mt": "0"},
}


def check_encoders(*encoders: str) -> None:
    """Raises REQUIREMENT_MISSING where FFmpeg was built without one."""
    import av

    for encoder in encoders:
        try:
            av.Codec(encoder, "w")
        except av.codec.codec.UnknownCodecError as error:
            raise LoomError("REQUIREMENT_MISSING", f"this build of FFmpeg has no encoder {encoder}") from error


def check_size(size: int, most_mb: int) -> None:
    """Raises FILE_TOO_LARGE."""
    if size > most_mb * MB:
        raise LoomError("FILE_TOO_LARGE", f"what is made of it would be larger than {most_mb} MB")
