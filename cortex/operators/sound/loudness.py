"""How loud a recording is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from cortex.media.wants import SoundFeed, Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from loom.errors import LoomError
from loom.graph.specs import Port
from loom.model import Kind

if TYPE_CHECKING:
    from cortex.media import Media
    from cortex.media.speaker import Heard

_READER = "ebur128"
_SILENCE = -70.0
"""The absolute gate, in LUFS: quieter sound does not count, so that of silence alone there is no loudness."""
_SILENT_PEAK = 10 ** (_SILENCE / 20)


class Loudness(MediaNode[NodeOptions]):
    """Measures loudness after EBU R 128: of the whole, its range, and the peaks.

    The whole first sound stream is measured, as it is: no channel is left out but the subwoofer's, surround channels
    weigh 1.5 dB more. The meter is FFmpeg's filter `ebur128`, which follows ITU-R BS.1770-4 (K-weighting, gates at
    -70 LUFS and -10 LU), EBU Tech 3341 (momentary 400 ms, short-term 3 s) and EBU Tech 3342 (range). Where a value
    does not exist (silence, less than 400 ms) its output is left out.

    Videos without sound are not processed. Refuses FORMAT_UNSUPPORTED (no sound, no decoder), FILE_DAMAGED (nothing of
    the sound can be decoded) and FILE_TRUNCATED (the index is missing). Damage in the middle is passed over.
    """

    operator = "audio.loudness"
    outputs = (Port(id="out", content_type="struct/loudness"),)
    kinds = frozenset({Kind.AUDIO, Kind.VIDEO})
    reads = ()
    verdicts = False
    INTEGRATED = OutputKey("integrated_lufs", float, "loudness of the whole, in LUFS")
    RANGE = OutputKey("range_lu", float, "loudness range (LRA), in LU")
    MOMENTARY = OutputKey("momentary_max_lufs", float, "the loudest 400 ms, in LUFS")
    SHORT_TERM = OutputKey("short_term_max_lufs", float, "the loudest 3 s, in LUFS")
    TRUE_PEAK = OutputKey("true_peak_dbtp", float, "highest peak between samples too, four times oversampled, in dBTP")
    SAMPLE_PEAK = OutputKey("sample_peak_dbfs", float, "the largest sample, in dBFS")
    SILENT = OutputKey("silent", bool, "whether no sample is above -70 dBFS")

    def wants(self) -> Wants:
        return Wants(sounds={_READER: SoundFeed(LoudnessReader, mono=False)})

    def is_processable(self, media: Media) -> bool:
        return super().is_processable(media) and has_sound(media)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        reader = cast(LoudnessReader, media.heard(_READER, ctx.progress))
        reader.end()
        integrated = _audible(reader.told.get("I"))
        ctx.output(self.SILENT, reader.sample_peak <= _SILENT_PEAK)
        for key, value in (
            (self.INTEGRATED, integrated),
            (self.RANGE, reader.told.get("LRA") if integrated is not None else None),
            (self.MOMENTARY, _audible(reader.momentary)),
            (self.SHORT_TERM, _audible(reader.short_term)),
            (self.TRUE_PEAK, _decibels(max(reader.true_peak, reader.sample_peak))),
            (self.SAMPLE_PEAK, _decibels(reader.sample_peak)),
        ):
            if value is not None:
                ctx.output(key, round(value, 2))


def has_sound(media: Media) -> bool:
    """Whether there is a sound stream; of damaged files what `Media.probe` raises."""
    return media.probe().first("audio") is not None


class LoudnessReader:
    """Gives the sound to the meter. `told` holds what it said last; peaks are linear, 1.0 is full scale."""

    def __init__(self) -> None:
        self._graph: Any = None
        self._pts = 0
        self._ended = False
        self.told: dict[str, float] = {}
        self.momentary = self.short_term = -math.inf
        self.true_peak = self.sample_peak = 0.0

    def update(self, piece: Heard) -> None:
        import numpy as np
        from av.audio.frame import AudioFrame

        if self._graph is None:
            self._graph = _meter(piece)
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(piece.samples), "fltp", piece.layout)
        frame.sample_rate, frame.pts = piece.rate, self._pts
        self._pts += piece.samples.shape[1]
        self.sample_peak = max(self.sample_peak, float(piece.samples.max()), -float(piece.samples.min()))
        self._graph.push(frame)
        self._listen()

    def end(self) -> None:
        """To be called after the last piece; may be called again."""
        if self._graph is not None and not self._ended:
            self._ended = True
            self._graph.push(None)
            self._listen()

    def levels(self) -> tuple[float, float] | None:
        """Of the whole: loudness in LUFS, and the true peak in dBTP; None where there is no loudness."""
        self.end()
        integrated, peak = _audible(self.told.get("I")), _decibels(max(self.true_peak, self.sample_peak))
        return None if integrated is None or peak is None else (integrated, peak)

    def _listen(self) -> None:
        import av

        while True:
            try:
                metadata = self._graph.pull().metadata
            except (av.BlockingIOError, EOFError):
                return
            told = {name.removeprefix("lavfi.r128."): float(value) for name, value in metadata.items()}
            if told:
                self.told = told
                self.momentary = max(self.momentary, told.get("M", -math.inf))
                self.short_term = max(self.short_term, told.get("S", -math.inf))
                self.true_peak = max(self.true_peak, told.get("true_peak", 0.0))


def _meter(piece: Heard) -> Any:
    """FFmpeg's filter, for sound of this form."""
    from fractions import Fraction

    import av
    from av.filter import Graph

    graph = Graph()
    graph.threads = 1
    try:
        source = graph.add_abuffer(
            sample_rate=piece.rate, format="fltp", layout=piece.layout, time_base=Fraction(1, piece.rate)
        )
        meter = graph.add("ebur128", "metadata=1:peak=true:framelog=quiet")
        sink = graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        graph.configure()
    except (av.FFmpegError, ValueError) as error:
        raise LoomError(
            "FORMAT_UNSUPPORTED", f"sound in {piece.layout} at {piece.rate} Hz cannot be measured"
        ) from error
    return graph


def _audible(lufs: float | None) -> float | None:
    return lufs if lufs is not None and math.isfinite(lufs) and lufs > _SILENCE else None


def _decibels(peak: float) -> float | None:
    return 20 * math.log10(peak) if peak > 0 and math.isfinite(peak) else None
