"""Makes small films and recordings of large ones."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Literal, cast

from pydantic import Field

from cortex.media.wants import PictureFeed, SoundFeed, Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.films.transcode_forms import (
    FILMS,
    MB,
    MOST_MB,
    SOUNDS,
    TUNED,
    SoundForm,
    check_encoders,
    check_size,
)
from loom.graph.specs import Port
from loom.model import Kind
from loom.parts import Parts

if TYPE_CHECKING:
    from cortex.media import Media
    from cortex.operators.films.transcode_tracks import MixedLoudness, PictureEncoder, SoundEncoder, Track


class TranscodeOptions(NodeOptions):
    to: Literal["video", "audio"] = Field("video", description="A film, or only its sound (also of a recording)")
    side: int = Field(1280, ge=64, le=1920, description="Longer side of the film, in pixels; it is never enlarged")
    frame_rate: float | None = Field(None, ge=1, le=60, description="Frames a second at most; none: all of them")
    video_codec: Literal["h264", "vp9"] = Field("h264", description="`h264` makes MP4, `vp9` WebM (with Opus)")
    quality: int = Field(
        24, ge=10, le=50, description="Constant rate factor of the encoder: smaller is better and larger"
    )
    video_kbit: int | None = Field(None, ge=50, le=20_000, description="Bit rate of pictures instead of `quality`")
    sound: bool = Field(True, description="Whether the film has its sound")
    audio_codec: Literal["aac", "opus", "flac", "mp3"] = Field(
        "aac", description="Of sound alone, and with `h264` `aac` or `opus`, of films"
    )
    audio_kbit: int = Field(128, ge=16, le=512, description="Bit rate of sound; FLAC has none")
    channels: Literal["mono", "stereo"] = Field("stereo", description="What all channels are mixed to")
    loudness_lufs: float | None = Field(
        None,
        ge=-40,
        le=-5,
        description="Level after EBU R 128 to which sound is brought, such as -23 or -16; none: as is",
    )
    true_peak_dbtp: float = Field(-1.0, ge=-9, le=0, description="It is made no louder than this, whatever the level")
    max_mb: int = Field(4096, ge=1, le=MOST_MB, description="Larger files are not made, but refused as FILE_TOO_LARGE")


class Transcode(MediaNode[TranscodeOptions]):
    """Makes a proxy of a film, or a file of its sound, and brings sound to a level.

    The artifact `film` is MP4 with H.264 and AAC, its index at the start, or WebM with VP9 and Opus; upright, of square
    pixels, 8 bits in BT.709, with a key frame every 2 s, frames shown for as long as in the original. The artifact
    `sound` is AAC (MP4), Opus (Ogg), FLAC (16 bits) or MP3. Sound has 48 kHz, of the first sound stream; where some is
    missing it is silent. `loudness_lufs` measures it as `audio.loudness` does, mixed to the channels it will have, in
    the pass that serves all nodes, and makes all of it louder or quieter by the same in a second one over the sound:
    nothing is compressed, and it stays quieter where it would exceed `true_peak_dbtp` else (`gain_db` tells). Silence
    stays as it is.

    A file of more than `max_mb` is not made. What is larger than 32 MB goes to the disk while it is made, which takes
    twice its size there for a while; where the kernel does not confine workers (other systems than Linux) nothing so
    large is made. Not kept: HDR (colours are cut off, not mapped), subtitles, chapters, tags, more than two channels;
    interlaced pictures stay so. H.264 comes from x264, whose licence is the GPL, as the package `av` brings it along.

    Films without pictures or sound of the wanted sort are not processed. Refuses FILE_TOO_LARGE (the result, or frames
    of too many pixels), FORMAT_UNSUPPORTED (no decoder), FILE_DAMAGED (nothing can be decoded), FILE_TRUNCATED (the
    index is missing) and REQUIREMENT_MISSING (FFmpeg has no such encoder). Damage in the middle is passed over.
    """

    operator = "media.transcode"
    outputs = (
        Port(id="out", content_type="artifact/video", key="film", description="the film"),
        Port(id="sound", content_type="artifact/audio", key="sound", description="the sound, where that is all"),
    )
    kinds = frozenset({Kind.AUDIO, Kind.VIDEO})
    reads = ()
    verdicts = False
    MEDIA_TYPE = OutputKey("media_type", str, "such as video/mp4")
    SIZE = OutputKey("size", int, "of the file, in bytes")
    DURATION = OutputKey("duration_s", float, "length, in seconds")
    WIDTH = OutputKey("width", int, "of the film, in pixels")
    HEIGHT = OutputKey("height", int, "of the film, in pixels")
    FRAMES = OutputKey("frames", int, "number of frames of the film")
    GAIN = OutputKey("gain_db", float, "by how much the sound was made louder, in dB; only with `loudness_lufs`")

    def open(self) -> None:
        """Raises REQUIREMENT_MISSING where FFmpeg was built without an encoder."""
        import_module("cortex.operators.films.transcode_files")
        wanted = [FILMS[self.options.video_codec][0]] if self.options.to == "video" else []
        check_encoders(*wanted, self._sound_form.encoder)

    @property
    def _is_film(self) -> bool:
        return self.options.to == "video"

    @property
    def _has_sound(self) -> bool:
        return self.options.sound or not self._is_film

    @property
    def _sound_form(self) -> SoundForm:
        codec = self.options.audio_codec
        if self._is_film:
            codec = "opus" if self.options.video_codec == "vp9" or codec == "opus" else "aac"
        return SOUNDS[codec]

    @property
    def _reader(self) -> str:
        """Of this node's own: what it made is used up when it is joined."""
        return f"transcode {self.id}"

    def wants(self) -> Wants:
        options = self.options
        pictures, sounds = {}, {}
        if self._is_film:
            pictures[self._reader] = PictureFeed(self._picture_encoder, rate=options.frame_rate)
        if self._has_sound and options.loudness_lufs is not None:
            sounds[self._reader] = SoundFeed(self._meter, mono=False)
        elif self._has_sound:
            sounds[self._reader] = SoundFeed(self._sound_encoder, rate=48_000, mono=options.channels == "mono")
        return Wants(pictures=pictures, sounds=sounds)

    def _meter(self) -> MixedLoudness:
        from cortex.operators.films.transcode_tracks import MixedLoudness

        return MixedLoudness(self.options.channels)

    def _picture_encoder(self) -> PictureEncoder:
        from cortex.operators.films.transcode_tracks import Encoding, PictureEncoder

        options, encoder = self.options, FILMS[self.options.video_codec][0]
        if options.video_kbit is None:
            encoding = Encoding(
                encoder, self._target[0], {**TUNED[encoder], "crf": str(options.quality), "b": "0"}, None
            )
        else:
            encoding = Encoding(encoder, self._target[0], TUNED[encoder], options.video_kbit * 1000)
        return PictureEncoder(encoding, options.side, options.frame_rate, options.max_mb * MB)

    def _sound_encoder(self, gain: float = 1.0) -> SoundEncoder:
        from cortex.operators.films.transcode_tracks import Encoding, SoundEncoder

        form, options = self._sound_form, self.options
        encoding = Encoding(form.encoder, self._target[0], {}, options.audio_kbit * 1000 if form.bits else None)
        return SoundEncoder(encoding, options.channels, form.sample_form, options.max_mb * MB, gain)

    def is_processable(self, media: Media) -> bool:
        if not super().is_processable(media):
            return False
        return media.probe().first("video" if self._is_film else "audio") is not None

    def compute(self, ctx: NodeContext, media: Media) -> None:
        from cortex.operators.films.transcode_files import joined

        tracks: list[Track] = []
        length_s = 0.0
        if self._is_film:
            pictures = cast("PictureEncoder", media.watched(self._reader, ctx.progress))
            pictures.track.end()
            tracks.append(pictures.track)
            length_s = pictures.until_s
            ctx.output(self.WIDTH, pictures.track.stream.width)
            ctx.output(self.HEIGHT, pictures.track.stream.height)
            ctx.output(self.FRAMES, pictures.count)
        if self._has_sound and media.probe().first("audio") is not None:
            sound = self._encoded_sound(ctx, media)
            sound.track.end()
            tracks.append(sound.track)
            length_s = max(length_s, sound.seconds)
        container, media_type = self._target
        data = joined(tracks, container, ctx.progress)
        size = data.size if isinstance(data, Parts) else len(data)
        check_size(size, self.options.max_mb)
        ctx.artifact("film" if self._is_film else "sound", data, media_type)
        ctx.output(self.MEDIA_TYPE, media_type)
        ctx.output(self.SIZE, size)
        ctx.output(self.DURATION, round(length_s, 3))

    @property
    def _target(self) -> tuple[str, str]:
        if self._is_film:
            return FILMS[self.options.video_codec][1:]
        return self._sound_form.container, self._sound_form.media_type

    def _encoded_sound(self, ctx: NodeContext, media: Media) -> SoundEncoder:
        if self.options.loudness_lufs is None:
            return cast("SoundEncoder", media.heard(self._reader, ctx.progress))
        gain_db = self._gain_db(cast("MixedLoudness", media.heard(self._reader, ctx.progress)))
        ctx.output(self.GAIN, round(gain_db, 2))
        feed = SoundFeed(
            lambda: self._sound_encoder(10 ** (gain_db / 20)), rate=48_000, mono=self.options.channels == "mono"
        )
        return cast("SoundEncoder", media.heard_again(feed, ctx.progress))

    def _gain_db(self, measured: MixedLoudness) -> float:
        """0 for silence."""
        found = measured.levels()
        if found is None or self.options.loudness_lufs is None:
            return 0.0
        integrated, peak = found
        return min(self.options.loudness_lufs - integrated, self.options.true_peak_dbtp - peak)
