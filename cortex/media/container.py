"""Sound and video by FFmpeg through PyAV: what a container holds, and what is decoded of it."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, BinaryIO

import av
import msgspec
from av.container import InputContainer
from PIL.Image import Image

from cortex.media.frames import Frames, is_cover, pixel_aspect
from cortex.media.isobox import is_cut, rotations
from cortex.media.picture import Picture
from cortex.media.probe import Probe, StreamInfo
from cortex.media.reel import Reel, Tally
from cortex.media.samples import Samples, Sounds
from cortex.media.sizes import Decoded
from cortex.media.sniff import sniff
from cortex.media.stills import Stills
from cortex.media.values import clean_text
from cortex.media.wants import Audience, Listeners, Progress
from loom.errors import LoomError

# Demuxers that read one stream of bytes and nothing else. Left out: those that follow names in the file (HLS, DASH,
# concat, image sequences), devices and filters.
_DEMUXERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,dv,eac3,flac,flv,gxf,h264,hevc,iff,ivf,m4v,matroska,webm,mov,mp4,m4a,"
    "3gp,3g2,mj2,mp3,mpc,mpc8,mpeg,mpegts,mpegvideo,mxf,nut,ogg,rm,tta,w64,wav,wv"
)
_OPTIONS = {"format_whitelist": _DEMUXERS, "protocol_whitelist": "none"}
_ISO_MEDIA = frozenset({"video/mp4", "video/quicktime", "video/3gpp", "audio/mp4"})
_UNSUPPORTED = frozenset({"audio/midi"})
_LONGEST_S = 10.0 * 365 * 86400
_MAX_TAGS = 200


class Container:
    """An opened container. Raises FORMAT_UNSUPPORTED, FILE_TOO_LARGE and what FFmpeg says of damage."""

    def __init__(self, file: BinaryIO, mime: str, max_pixels: int) -> None:
        self._file = file
        self._mime = mime
        self._max_pixels = max_pixels
        self._input: InputContainer | None = None
        self._moved = False
        self._size = file.seek(0, io.SEEK_END)
        file.seek(0)
        try:
            if mime in _UNSUPPORTED:
                raise LoomError("FORMAT_UNSUPPORTED", f"no decoder for {mime} is installed")
            self._input = source = self._open()
            self.probe = self._read_header(source)
        except BaseException:
            self.close()
            raise

    def _open(self) -> InputContainer:
        try:
            return av.open(self._file, "r", options=_OPTIONS, metadata_errors="replace", io_open=_refuse)
        except av.InvalidDataError:
            if self._mime in _ISO_MEDIA and is_cut(self._read_at, self._file.seek(0, io.SEEK_END)):
                raise LoomError("FILE_TRUNCATED") from None
            raise

    def _read_at(self, offset: int, count: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(count)

    def close(self) -> None:
        if self._input is not None:
            self._input.close()
            self._input = None
        self._file.close()

    def frames(self, count: int, max_side: int | None) -> list[Image]:
        """At most `count` different key frames, evenly spread, in order."""
        return self._pictures().spread(count, max_side)

    def poster(self, max_side: int | None) -> Decoded:
        """The key frame at 15 % of the length: past titles and fades."""
        shown = self._pictures().at(0.15, max_side)
        return Decoded(shown, complete=max_side is None or max(shown.size) < max_side)

    def cover(self, max_side: int | None) -> Decoded:
        """The still picture that the sound carries. Raises FORMAT_UNSUPPORTED when there is none."""
        source = self._opened()
        stream = next((s for s in source.streams if is_cover(s)), None)
        if stream is None:
            raise LoomError("FORMAT_UNSUPPORTED", "the sound carries no cover")
        with suppress(av.FFmpegError):  # FFmpeg gives covers again after going back to the start
            source.seek(0)
        data = next((bytes(packet) for packet in source.demux(stream) if packet.size), b"")
        mime = sniff(data, len(data), lambda at, count: data[at : at + count])
        return Picture(lambda: io.BytesIO(data), mime, self._max_pixels).decode(max_side)

    def samples(self, rate: int, start_s: float, max_seconds: float) -> Samples:
        """Mono samples of the first sound stream."""
        return Sounds(self._reopened, self._at_start()).read(rate, start_s, max_seconds)

    def peaks(self, count: int) -> Samples:
        """The loudest sample in each of `count` parts."""
        return Sounds(self._reopened, self._at_start()).peaks(self.probe.duration_s, count)

    def play(
        self, audience: Audience, listeners: Listeners, progress: Progress | None, stills: Iterable[Stills] = ()
    ) -> Tally:
        """Decodes all of the first video and sound stream, as far as they are wanted, in one pass, in which `stills`
        are taken."""
        reel = Reel(self._at_start(), self._size, self.probe.duration_s, progress)
        return reel.play(audience, listeners, self._max_pixels, tuple(stills))

    def stills(self, count: int, side: int) -> Stills | None:
        """What takes such pictures as `frames` gives during `play`; None where the length is not known."""
        return None if self.probe.duration_s is None else Stills(count, side, self.probe.duration_s)

    def _pictures(self) -> Frames:
        return Frames(self._reopened, self._opened(), self.probe.duration_s, self._max_pixels)

    def _at_start(self) -> InputContainer:
        """Not every format can go back to its start, and some decoders give other sound there than the first time."""
        return self._reopened() if self._moved else self._opened()

    def _opened(self) -> InputContainer:
        if self._input is None:
            raise LoomError("INTERNAL", "the file was closed before it was decoded")
        self._moved = True
        return self._input

    def _reopened(self) -> InputContainer:
        self._opened().close()
        self._file.seek(0)
        self._input = source = self._open()
        return source

    def _read_header(self, source: InputContainer) -> Probe:
        streams = [_stream_info(stream) for stream in source.streams]
        streams = self._with_rotations(streams)
        video = next((stream for stream in streams if stream.type == "video"), None)
        width, height = (_shown_width(video, source), video.height) if video else (None, None)
        if video is not None and video.rotation in (90, 270):
            width, height = height, width
        durations = [stream.duration_s for stream in streams if stream.duration_s]
        whole = _seconds(source.duration, 1 / 1_000_000)
        return Probe(
            format=source.format.name.split(",")[0],
            width=width,
            height=height,
            rotation=video.rotation if video else None,
            duration_s=whole or max(durations, default=None),
            bit_rate=_positive(source.bit_rate),
            streams=tuple(streams),
            chapters=len(source.chapters()),
            tags=tags_of(source.metadata),
        )

    def _with_rotations(self, streams: list[StreamInfo]) -> list[StreamInfo]:
        if self._mime not in _ISO_MEDIA:
            return streams
        position = self._file.tell()
        turns = iter(rotations(self._read_at, self._file.seek(0, io.SEEK_END)))
        self._file.seek(position)
        return [_turned(info, next(turns, 0)) if info.type == "video" else info for info in streams]


def tags_of(metadata: Any) -> dict[str, str]:
    """Tags with names in lower case, cleaned; empty ones left out."""
    cleaned = ((str(key).lower(), clean_text(value)) for key, value in list(metadata.items())[:_MAX_TAGS])
    return {key: value for key, value in cleaned if value is not None}


def _stream_info(stream: Any) -> StreamInfo:
    context = stream.codec_context
    tags = tags_of(stream.metadata)
    common = {
        "index": stream.index,
        "type": "cover" if is_cover(stream) else stream.type,
        "codec": context.codec.canonical_name if context is not None else None,
        "language": tags.get("language") if tags.get("language") != "und" else None,
        "bit_rate": _positive(context.bit_rate) if context is not None else None,
        "duration_s": _seconds(stream.duration, stream.time_base),
        "tags": tags,
    }
    if context is None:
        return StreamInfo(**common)
    if stream.type == "video":
        rate = stream.average_rate or stream.guessed_rate
        return StreamInfo(
            **common,
            width=context.width or None,
            height=context.height or None,
            frame_rate=round(float(rate), 3) if rate and 0 < rate <= 1000 else None,
            frames=_positive(stream.frames),
            pixel_format=context.pix_fmt,
        )
    if stream.type == "audio":
        return StreamInfo(
            **common,
            sample_rate=_positive(context.sample_rate),
            channels=_positive(context.channels),
            layout=context.layout.name if context.layout else None,
        )
    return StreamInfo(**common)


def _shown_width(info: StreamInfo, source: InputContainer) -> int | None:
    """In square pixels, as the frames are given."""
    return None if info.width is None else max(round(info.width * pixel_aspect(source.streams[info.index])), 1)


def _turned(info: StreamInfo, degrees: int) -> StreamInfo:
    return msgspec.structs.replace(info, rotation=degrees)


def _seconds(ticks: int | None, tick: Any) -> float | None:
    if not ticks or not tick:
        return None
    seconds = float(ticks * tick)
    return round(seconds, 6) if math.isfinite(seconds) and 0 < seconds < _LONGEST_S else None


def _positive(number: int | None) -> int | None:
    return number if number is not None and 0 < number < 2**53 else None


def _refuse(*_: Any) -> Any:
    """FFmpeg asks this before it opens anything else that a file names."""
    raise PermissionError("media may not open other files")
