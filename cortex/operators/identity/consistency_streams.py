"""Whether films and recordings hold what they declare, by what decoding them from end to end came to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from cortex.operators.identity.consistency_findings import Finding, ReadAt, at_second

if TYPE_CHECKING:
    from cortex.media.probe import Probe, StreamInfo
    from cortex.media.reel import Played
    from cortex.media.track import Condition

_DECLARE = frozenset(
    {
        "mov",
        "matroska",
        "avi",
        "flv",
        "asf",
        "mxf",
        "wav",
        "w64",
        "aiff",
        "caf",
        "au",
        "flac",
        "ogg",
        "ape",
        "wv",
        "tta",
    }
)
"""Formats whose header, or whose last part, says how long they are; for others FFmpeg guesses from the bit rate."""
_WITHOUT_GAPS = frozenset({"wav", "w64", "aiff", "caf", "au", "flac", "ogg", "mp3", "ape", "wv", "tta"})
_STARTS_ANYWHERE = frozenset({"mpegts", "mpeg"})
_EARLY_S = 1.0
"""Recordings of broadcasts begin between key frames: what cannot be decoded so early is no damage."""
_SOUND_S, _PICTURES_S, _PART = 0.25, 0.5, 0.001
_COUNTED_S = {"flac": 0.002, "wav": 0.002, "aiff": 0.002, "au": 0.002, "mp3": 0.06}
"""Formats that count samples, or frames: of these, less is missing than of one frame."""


class Declared(NamedTuple):
    """What the file says of itself: frames of pictures, seconds of pictures and of sound; None where it does not."""

    frames: int | None
    video_s: float | None
    sound_s: float | None


def declared(probe: Probe, read_at: ReadAt) -> Declared:
    video, sound = probe.first("video"), probe.first("audio")
    tells = probe.format in _DECLARE or (probe.format == "mp3" and _has_count(read_at))
    return Declared(
        video.frames if video is not None else None,
        _duration(probe, video) if tells and video is not None else None,
        _duration(probe, sound) if tells and sound is not None else None,
    )


def _duration(probe: Probe, stream: StreamInfo) -> float | None:
    """Of a stream; where only the file as a whole has one, of its only stream."""
    others = [one for one in probe.streams if one.type in ("video", "audio")]
    return stream.duration_s or (probe.duration_s if len(others) == 1 else None)


def _has_count(read_at: ReadAt) -> bool:
    """Whether an MP3 counts its frames in the first of them (Xing, LAME, VBRI), behind its tags."""
    head = read_at(0, 10)
    start = 0
    if head[:3] == b"ID3":
        start = 10 + sum((byte & 127) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    first = read_at(start, 4096)
    return any(mark in first for mark in (b"Xing", b"Info", b"VBRI"))


def streams(probe: Probe, told: Declared, pictures: Played | None, sound: Played | None) -> Iterator[Finding]:
    """What is wrong with the first video and the first sound stream."""
    for name, played in (("pictures", pictures), ("sound", sound)):
        if played is None or played.condition is None:
            continue
        yield from _faults(probe, name, played, played.condition)
    if pictures is not None and pictures.condition is not None:
        yield from _short_pictures(told, pictures.condition)
    if sound is not None and sound.condition is not None:
        yield from _short_sound(probe, told, sound.condition)
    yield from _short_whole(probe, told, [one.condition for one in (pictures, sound) if one is not None])


def _faults(probe: Probe, name: str, played: Played, found: Condition) -> Iterator[Finding]:
    where = "" if found.fault_s is None else at_second(found.fault_s)
    early = probe.format in _STARTS_ANYWHERE and found.fault_s is not None and found.fault_s < _EARLY_S
    packets = played.damaged + found.marked
    if not played.decoded:
        yield Finding("unreadable", f"nothing of the {name} can be decoded")
    elif packets and not early:
        yield Finding("damaged", f"{packets:,} of {found.packets:,} packets of the {name} are damaged", where)
    if found.patched and not early:
        yield Finding("patched", f"parts of {found.patched:,} frames of the {name} had to be made up", where)
    if found.hollow and found.hollow_s is not None:
        yield Finding("zeros", f"{found.hollow:,} packets of the {name} hold zeros", at_second(found.hollow_s))


def _short_pictures(told: Declared, found: Condition) -> Iterator[Finding]:
    """Where frames are counted and all are there, the last one may be shown for long."""
    shown = found.until_s - (found.from_s or 0.0)
    whole = told.frames is not None and found.packets >= told.frames
    if told.video_s is not None and not whole and shown < told.video_s - max(_PICTURES_S, _PART * told.video_s):
        yield _short("pictures", shown, told.video_s, found)


def _short_sound(probe: Probe, told: Declared, found: Condition) -> Iterator[Finding]:
    heard = found.decoded_s if probe.format in _WITHOUT_GAPS else found.until_s - (found.from_s or 0.0)
    lenient = _COUNTED_S.get(probe.format) or max(_SOUND_S, _PART * (told.sound_s or 0.0))
    if told.sound_s is not None and heard < told.sound_s - lenient:
        yield _short("sound", heard, told.sound_s, found)


def _short_whole(probe: Probe, told: Declared, found: list[Condition | None]) -> Iterator[Finding]:
    """Where only the file as a whole says how long it is."""
    if probe.format not in _DECLARE or probe.duration_s is None or told.video_s or told.sound_s:
        return
    last = max((one for one in found if one is not None), key=lambda one: one.until_s, default=None)
    if last is not None and last.until_s < probe.duration_s - max(_PICTURES_S, _PART * probe.duration_s):
        yield _short("pictures and sound", last.until_s, probe.duration_s, last)


def _short(name: str, there_s: float, told_s: float, found: Condition) -> Finding:
    sentence = f"there are {there_s:.2f} s of {name}, and it declares {told_s:.2f} s"
    return Finding("too-short", sentence, at_second(found.until_s))
