"""What was said when, as JSON and as subtitles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec


class Said(NamedTuple):
    """A stretch of speech, in seconds of the recording. `sure` is the mean probability of its words, 0 to 1."""

    start_s: float
    end_s: float
    text: str
    sure: float


def as_text(said: Sequence[Said]) -> str:
    return " ".join(one.text for one in said)


def as_json(said: Sequence[Said], language: str | None) -> bytes:
    segments = [
        {"start": round(one.start_s, 2), "end": round(one.end_s, 2), "text": one.text, "sure": round(one.sure, 3)}
        for one in said
    ]
    return msgspec.json.encode({"language": language, "segments": segments})


def as_srt(said: Sequence[Said]) -> bytes:
    """SubRip, numbered from 1."""
    blocks = (
        f"{number}\n{_clock(one.start_s, ',')} --> {_clock(one.end_s, ',')}\n{_line(one.text)}\n"
        for number, one in enumerate(said, 1)
    )
    return "\n".join(blocks).encode()


def as_vtt(said: Sequence[Said]) -> bytes:
    """WebVTT, in which `&` and `<` have a meaning."""
    blocks = (
        f"{_clock(one.start_s, '.')} --> {_clock(one.end_s, '.')}\n"
        f"{_line(one.text).replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}\n"
        for one in said
    )
    return "\n".join(["WEBVTT\n", *blocks]).encode()


def _line(text: str) -> str:
    """Without the arrow and the empty lines that would end a subtitle."""
    return " ".join(text.split()).replace("-->", "→")


def _clock(seconds: float, point: str) -> str:
    ms = max(round(seconds * 1000), 0)
    minutes, ms = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{ms // 1000:02}{point}{ms % 1000:03}"
