from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mediakit.recordings import Sound, write_sound
from realmedia import SOUNDS, RealMedia

from cortex.media import Media
from cortex.media.speaker import Heard
from cortex.media.wants import SoundFeed, Wants

Opened = Callable[..., Media]


class Ear:
    def __init__(self) -> None:
        self.heard: list[Heard] = []

    def update(self, piece: Heard) -> None:
        self.heard.append(piece._replace(samples=piece.samples.copy()))

    @property
    def samples(self) -> np.ndarray[Any, Any]:
        return np.concatenate([piece.samples for piece in self.heard], axis=1)


def _heard(media: Media, name: str = "ear") -> Ear:
    reader = media.heard(name)
    assert isinstance(reader, Ear)
    return reader


_EAR = Wants(sounds={"ear": SoundFeed(Ear)})


@pytest.mark.parametrize("name", SOUNDS)
def test_sound_as_it_is_and_mixed(opened: Opened, media: RealMedia, name: str) -> None:
    wants = Wants(sounds={"ear": SoundFeed(Ear, mono=False), "speech": SoundFeed(Ear, rate=16000)})
    recording = opened(media.sound(name), wants)
    whole, speech = _heard(recording), _heard(recording, "speech")
    assert {(piece.rate, piece.layout) for piece in whole.heard} == {(48000, "stereo")}
    assert {(piece.rate, piece.layout) for piece in speech.heard} == {(16000, "mono")}
    assert whole.samples.shape == (2, pytest.approx(media.music.samples.shape[1], abs=3000))
    assert speech.samples.shape == (1, pytest.approx(media.music.samples.shape[1] / 3, abs=1000))
    assert whole.samples.std() == pytest.approx(media.music.samples.std(), rel=0.1)
    for before, after in zip(speech.heard, speech.heard[1:], strict=False):
        assert after.time_s == pytest.approx(before.time_s + before.samples.shape[1] / 16000, abs=1e-6)


def test_numbers_that_are_none_become_silence(opened: Opened, tmp_path: Path) -> None:
    samples = np.full((1, 9600), 0.5, np.float32)
    samples[0, 4000], samples[0, 5000] = np.nan, np.inf
    recording = write_sound(tmp_path / "sound.wav", Sound(samples), "pcm_f32le")
    heard = _heard(opened(recording, _EAR)).samples
    assert (heard[0, 4000], heard[0, 5000], heard[0, 6000]) == (0, 0, 0.5)
