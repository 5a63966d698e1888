"""Writes down what is said in recordings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import Field

from cortex.media.wants import SoundFeed, Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.models import ModelFile, checked_file, requirement
from cortex.operators.sound.loudness import has_sound
from cortex.operators.sound.speech_store import RATE, SpeechStore, Window
from cortex.operators.sound.transcripts import Said, as_json, as_srt, as_text, as_vtt
from cortex.requirements import demand
from loom.errors import LoomError
from loom.graph.specs import Port, Requirement
from loom.model import Kind

if TYPE_CHECKING:
    from cortex.media import Media

LEAD = 10_000
"""Characters of the output `transcript`: at most six bytes each in JSON, so that it always has room."""

_READER = "speech"
_BESIDE_IT = ("config.json", "tokenizer.json")
_RUNTIME = Requirement(kind="package", name="faster_whisper", extra="transcription")
_SURE = 0.5
"""A language that was heard with less is listened for again."""


class TranscribeOptions(NodeOptions):
    model: ModelFile = Field(
        description="The file `model.bin` of a Whisper model for CTranslate2; `config.json`, `tokenizer.json` and its "
        "vocabulary lie in the same folder."
    )
    language: str | None = Field(
        None, pattern=r"^[a-z]{2,3}$", description="The language that is spoken, such as `en`; without it, it is heard."
    )
    task: Literal["transcribe", "translate"] = Field(
        "transcribe", description="`translate` writes it in English, whatever is spoken."
    )
    beam: int = Field(5, ge=1, le=10, description="How many wordings are weighed against each other; 1 is fastest.")
    voice_only: bool = Field(
        True, description="Leaves out what a model of voices takes for no speech: faster, and less is invented."
    )
    threads: int = Field(
        1, ge=1, le=2, description="Of one worker; as many workers as `--jobs` says have a model each."
    )
    max_minutes: int = Field(240, ge=1, le=300, description="No more of a recording is heard.")


class Transcribe(MediaNode[TranscribeOptions]):
    """Writes down what is said in a recording or film, with times.

    Whisper models run by faster-whisper, on the processor, with weights of 8 bits; nothing is downloaded. The first
    sound stream is heard at 16 kHz and mixed to mono, in stretches of at most 5 minutes that end where it is quiet. The
    language is that of the first stretch in which it can be told. Whisper may invent words in music and noise, and
    repeat itself; `sure` of a segment says how likely its words were.

    The output `transcript`, which a search in Loom finds, is the beginning of the text. The artifact `transcript` is
    JSON (`language`, and `segments` with `start`, `end`, `text`, `sure`), `srt` and `vtt` are subtitles. Without speech
    there are none. A worker holds the model, 0.15 GB for `base` and 1.6 GB for `large-v3`, and 2 MB for each minute.

    Ports `in` and `out`; needs the extra `transcription` and the model, whose SHA-256 is checked (REQUIREMENT_MISSING).
    Videos without sound are not processed. Refuses FORMAT_UNSUPPORTED (no sound, no decoder), FILE_DAMAGED (nothing of
    the sound can be decoded) and FILE_TRUNCATED (the index is missing). Damage in the middle counts as silence.
    An example:

        model: {path: /whisper/model.bin, sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}
        language: en
    """

    operator = "audio.transcribe"
    kinds = frozenset({Kind.AUDIO, Kind.VIDEO})
    reads = ()
    verdicts = False
    requires = (_RUNTIME,)
    outputs = (
        Port(id="out", content_type="text/transcript", key="transcript"),
        Port(id="subtitles", content_type="artifact/text", key="srt", description="SubRip"),
    )
    TRANSCRIPT = OutputKey("transcript", str, "The beginning of what is said: at most 10,000 characters.")
    CHARACTERS = OutputKey("characters", int, "How many characters there are in all.")
    SEGMENTS = OutputKey("segments", int, "How many segments the artifacts have.")
    LANGUAGE = OutputKey("language", str, "What is spoken, such as `en`; none without speech.")
    CONFIDENCE = OutputKey("confidence", float, "How sure that is, 0 to 1; 1 when the options say it.")
    TRUNCATED = OutputKey("truncated", bool, "Whether the recording is longer than what was heard.")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._model: Any = None

    def requirements(self) -> Sequence[Requirement]:
        return (_RUNTIME, requirement(self.options.model, {}))

    def open(self) -> None:
        """Checks and loads the model: 1 s for `base`."""
        demand(self.requirements())
        path = checked_file(self.options.model, {})
        _check_beside(path)
        from faster_whisper import WhisperModel
        from faster_whisper.vad import get_vad_model

        try:
            self._model = WhisperModel(
                str(path.parent), device="cpu", compute_type="int8", cpu_threads=self.options.threads
            )
        except (RuntimeError, ValueError) as error:
            raise LoomError("REQUIREMENT_MISSING", f"{path} is no model that can be used: {error}") from error
        if self.options.voice_only:
            get_vad_model()

    def close(self) -> None:
        self._model = None

    def wants(self) -> Wants:
        most_s = self.options.max_minutes * 60.0
        return Wants(sounds={f"{_READER} {most_s:.0f}": SoundFeed(lambda: SpeechStore(most_s), rate=RATE)})

    def is_processable(self, media: Media) -> bool:
        return super().is_processable(media) and has_sound(media)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        (reader,) = self.wants().sounds
        store = cast(SpeechStore, media.heard(reader, ctx.progress))
        said: list[Said] = []
        language, sure = self.options.language, 1.0 if self.options.language is not None else 0.0
        for window in store.windows():
            found, told, told_sure = self._hear(ctx, window, language if sure >= _SURE else None, store.seconds)
            said += found
            if found and told_sure > sure:
                language, sure = told, told_sure
        self._say(ctx, said, language, sure)
        ctx.output(self.TRUNCATED, store.truncated)

    def _hear(
        self, ctx: NodeContext, window: Window, language: str | None, seconds: float
    ) -> tuple[list[Said], str, float]:
        """What is said in a stretch, in which language, and how sure that is."""
        from ctranslate2 import set_random_seed

        set_random_seed(0)  # where it guesses, it guesses the same every time
        heard, info = self._model.transcribe(
            window.samples,
            language=language,
            task=self.options.task,
            beam_size=self.options.beam,
            vad_filter=self.options.voice_only,
        )
        said = []
        for one in heard:
            ctx.progress(min(one.end / seconds, 1.0))
            if text := " ".join(one.text.split()):
                start_s, end_s = window.start_s + one.start, window.start_s + max(one.end, one.start)
                said.append(Said(start_s, end_s, text, math.exp(min(one.avg_logprob, 0.0))))
        return said, info.language, float(info.language_probability)

    def _say(self, ctx: NodeContext, said: list[Said], language: str | None, sure: float) -> None:
        text = as_text(said)
        ctx.output(self.TRANSCRIPT, text[:LEAD])
        ctx.output(self.CHARACTERS, len(text))
        ctx.output(self.SEGMENTS, len(said))
        if not said:
            return
        if language is not None:
            ctx.output(self.LANGUAGE, language)
            ctx.output(self.CONFIDENCE, round(sure, 4))
        ctx.artifact("transcript", as_json(said, language), "application/json")
        ctx.artifact("srt", as_srt(said), "application/x-subrip")
        ctx.artifact("vtt", as_vtt(said), "text/vtt")


def _check_beside(model: Path) -> None:
    """The library would look for what is missing in the network. Raises `REQUIREMENT_MISSING`."""
    for name in _BESIDE_IT:
        if not model.with_name(name).is_file():
            raise LoomError("REQUIREMENT_MISSING", f"{name} is not beside the model {model}")
