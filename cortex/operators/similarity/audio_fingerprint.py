"""By what a recording is known again."""

from __future__ import annotations

from base64 import b64encode
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from cortex.media.wants import SoundFeed, Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.sound.loudness import has_sound
from loom.graph.specs import Port
from loom.model import Kind

if TYPE_CHECKING:
    from cortex.media import Media
    from cortex.media.speaker import Heard

_READER = "fingerprint"
_RATE = 8000
_LONGEST_GAP_S = 3600.0
"""A gap of more is a fault in the file's times."""
_AT_ONCE_S = 60.0
MOST_WORDS = 11_000
"""As many as go into an output: 23 minutes."""
MEDIA_TYPE = "application/vnd.loom.audio-fingerprint"


class AudioFingerprint(MediaNode[NodeOptions]):
    """Takes the fingerprint of a recording: what copies of it have in common, whatever their encoding and level.

    For every 0.128 s of the first sound stream there is a word of 32 bits: how the energies of 33 bands between 300 and
    2,000 Hz change against their neighbours (after Haitsma and Kalker, 2002; see `soundhash` beside it, which
    reads, packs and compares them). Copies as MP3, AAC or Opus from 32 kbit/s on, louder or quieter, with silence
    before them, or with another tone, have a score above 0.6, most above 0.8; unrelated recordings stay below 0.3.

    `fingerprint` holds the words packed and in Base64, for the first 23 minutes; of longer recordings the artifact
    `fingerprint` has all of them, packed as they are. `hash` is made of the whole: 256 bits as 64 hexadecimal digits,
    32 for each eighth of what is not silent. Those of copies differ in up to some 50 bits, of unrelated recordings in
    about 128 and hardly ever in fewer than 85. It is missing for less than 4 s and for steady sounds.

    Trims: a piece cut out of a recording is found by laying the words of one along those of the other; it scores as
    other copies do, with the offset. The hash bears silence at both ends of any length, and cuts of a few hundredths of
    the length: with a twentieth missing most differ in fewer than 60 bits, with half of it missing they are like
    unrelated ones. Copies that are faster or slower by a hundredth or more are not found.

    Videos without sound are not processed. Refuses FORMAT_UNSUPPORTED (no sound, no decoder), FILE_DAMAGED (nothing of
    the sound can be decoded) and FILE_TRUNCATED (the index is missing). Damage in the middle is passed over.
    """

    operator = "audio.fingerprint"
    outputs = (Port(id="out", content_type="artifact/fingerprint", key="fingerprint"),)
    kinds = frozenset({Kind.AUDIO, Kind.VIDEO})
    reads = ()
    verdicts = False
    FINGERPRINT = OutputKey("fingerprint", str, "the words of the first 23 minutes, packed, in Base64")
    HASH = OutputKey("hash", str, "of the whole, 64 hexadecimal digits; missing for too little and for steady sound")
    COUNT = OutputKey("count", int, "number of words of the whole")
    INTERVAL = OutputKey("interval_s", float, "seconds from one word to the next")

    def open(self) -> None:
        import_module("cortex.operators.similarity.soundhash")

    def wants(self) -> Wants:
        return Wants(sounds={_READER: SoundFeed(FingerprintReader, rate=_RATE)})

    def is_processable(self, media: Media) -> bool:
        return super().is_processable(media) and has_sound(media)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        from cortex.operators.similarity import soundhash

        reader = cast(FingerprintReader, media.heard(_READER, ctx.progress))
        energies = reader.energies()
        words = soundhash.words_of(energies)
        ctx.output(self.FINGERPRINT, b64encode(soundhash.pack(words[:MOST_WORDS])).decode("ascii"))
        ctx.output(self.COUNT, len(words))
        ctx.output(self.INTERVAL, soundhash.INTERVAL_S)
        if (digest := soundhash.summary(energies)) is not None:
            ctx.output(self.HASH, digest.hex())
        if len(words) > MOST_WORDS:
            ctx.artifact("fingerprint", soundhash.pack(words), MEDIA_TYPE)


class FingerprintReader:
    """Gives the sound to the bands, with silence where some is missing."""

    def __init__(self) -> None:
        from cortex.operators.similarity.soundhash import Bander

        self._bander = Bander()
        self._next_s = 0.0
        self._energies: Any = None

    def update(self, piece: Heard) -> None:
        import numpy as np

        missing = piece.time_s - self._next_s
        while 0 < missing <= _LONGEST_GAP_S and self._next_s > 0:
            silent = min(missing, _AT_ONCE_S)
            self._bander.add(np.zeros(round(silent * piece.rate), np.float32))
            missing -= silent
        self._bander.add(piece.samples[0])
        self._next_s = piece.time_s + piece.samples.shape[1] / piece.rate

    def energies(self) -> Any:
        """May be asked again."""
        if self._energies is None:
            self._energies = self._bander.end()
        return self._energies
