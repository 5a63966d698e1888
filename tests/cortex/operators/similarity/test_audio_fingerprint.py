"""Copies of a recording are known again, and others are not taken for it."""

from __future__ import annotations

import itertools
from base64 import b64decode
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from mediakit.recordings import Sound, write_sound
from realmedia import SOUNDS, RealMedia

from cortex.media.speaker import Heard
from cortex.operators.similarity import soundhash
from cortex.operators.similarity.audio_fingerprint import MEDIA_TYPE, MOST_WORDS, AudioFingerprint, FingerprintReader
from cortex.testing import OperatorRun, run_operator
from loom.errors import LoomError
from loom.model import State

Samples = npt.NDArray[np.float32]
RATE = 48000


@lru_cache
def tune(number: int, seconds: float = 9.0) -> Samples:
    """A melody of its own over chords and a beat, in stereo."""
    random = np.random.default_rng(number)
    time = np.arange(int(seconds * RATE)) / RATE
    wave = np.zeros_like(time)
    for lowest, length, level in ((48, 0.25, 0.25), (36, 1.0, 0.2), (60, 0.125, 0.1)):
        notes = 440 * 2 ** ((lowest + random.integers(0, 24, len(time)) - 57) / 12)
        at = (time / length).astype(int)
        decay = np.exp(-4 * (time % length) / length)
        for overtone in (1, 2, 3, 5):
            wave += level / overtone * decay * np.sin(2 * np.pi * notes[at] * overtone * time)
    wave += random.normal(0, 0.1, len(time)) * (time * 2 % 1 < 0.04)
    return np.stack([wave, wave * 0.9]).astype(np.float32) * 0.5


@pytest.fixture(scope="module")
def songs(media: RealMedia) -> dict[str, Samples]:
    return {"film": media.music.samples, **{f"tune {number}": tune(number) for number in range(3)}}


Taken = Callable[..., OperatorRun]


@pytest.fixture
def taken(tmp_path: Path) -> Taken:
    """The fingerprint of sound, written in an encoding."""

    def take(samples: Samples, codec: str = "pcm_s16le", ending: str = "wav") -> OperatorRun:
        return run_operator(AudioFingerprint(), write_sound(tmp_path / f"sound.{ending}", Sound(samples), codec))

    return take


def words(run: OperatorRun) -> Any:
    return soundhash.unpack(b64decode(run.outputs["fingerprint"]))


def bits(one: OperatorRun, other: OperatorRun) -> int:
    return soundhash.distance(bytes.fromhex(one.outputs["hash"]), bytes.fromhex(other.outputs["hash"]))


def silence(seconds: float) -> Samples:
    return np.zeros((2, int(seconds * RATE)), np.float32)


COPIES: dict[str, Callable[[Samples], tuple[Samples, str, str]]] = {
    "mp3": lambda sound: (sound, "libmp3lame", "mp3"),
    "aac": lambda sound: (sound, "aac", "m4a"),
    "opus": lambda sound: (sound, "libopus", "opus"),
    "vorbis": lambda sound: (sound, "vorbis", "ogg"),
    "quiet": lambda sound: (sound * 0.05, "libmp3lame", "mp3"),
    "silence before": lambda sound: (np.concatenate([silence(1.37), sound], axis=1), "libopus", "opus"),
    "other tone": lambda sound: (np.diff(sound, axis=1, prepend=sound[:, :1]) * 3, "aac", "m4a"),
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_are_alike(songs: dict[str, Samples], taken: Taken, name: str) -> None:
    for song in ("film", "tune 0"):
        first, copy = taken(songs[song]), taken(*COPIES[name](songs[song]))
        match = soundhash.compare(words(first), words(copy))
        assert match.score > 0.6
        assert match.offset_s == pytest.approx(-1.37 if name == "silence before" else 0.0, abs=0.13)
        assert bits(first, copy) <= 48


def test_different_recordings_are_not(songs: dict[str, Samples], taken: Taken) -> None:
    made = [taken(sound) for sound in songs.values()]
    for one, other in itertools.combinations(made, 2):
        assert soundhash.compare(words(one), words(other)).score < 0.3
        assert bits(one, other) > 72


def test_pieces_are_found_where_they_come_from(songs: dict[str, Samples], taken: Taken) -> None:
    """The words of a piece; a hash bears that little is cut off, and not that much is."""
    sound = songs["tune 1"]
    whole, piece = taken(sound), taken(sound[:, int(2.3 * RATE) : int(7.5 * RATE)], "libmp3lame", "mp3")
    match = soundhash.compare(words(whole), words(piece))
    assert match.score > 0.6
    assert match.offset_s == pytest.approx(2.3, abs=0.15)
    assert match.overlap_s == pytest.approx(5.2, abs=0.3)
    back = soundhash.compare(words(piece), words(whole))
    assert (back.score, back.offset_s) == pytest.approx((match.score, -match.offset_s))
    assert bits(whole, piece) > 72
    assert bits(whole, taken(sound[:, int(0.2 * RATE) : -int(0.2 * RATE)])) <= 64


def test_both_may_have_lost_another_end(songs: dict[str, Samples], taken: Taken) -> None:
    sound = songs["tune 2"]
    match = soundhash.compare(words(taken(sound[:, 2 * RATE :])), words(taken(sound[:, : -3 * RATE])))
    assert match.score > 0.6
    assert match.offset_s == pytest.approx(-2, abs=0.13)


@pytest.mark.parametrize("name", SOUNDS)
def test_real_files(media: RealMedia, name: str) -> None:
    film = run_operator(AudioFingerprint(), media.films["bigbuckbunny"])
    run = run_operator(AudioFingerprint(), media.sound(name))
    assert soundhash.compare(words(film), words(run)).score > 0.8
    assert bits(film, run) <= 32
    assert run.outputs["count"] == len(words(run)) == pytest.approx(5.31 / 0.128, abs=2)
    assert run.outputs["interval_s"] == 0.128
    assert run.artifacts == ()


def test_silence_is_like_nothing(taken: Taken) -> None:
    run = taken(silence(5))
    assert not words(run).any()
    assert "hash" not in run.outputs
    assert soundhash.compare(words(run), words(run)).score == 0
    assert soundhash.compare(words(run), words(taken(tune(1)))).score == 0


def test_little_sound_and_steady_sound_have_no_hash(taken: Taken) -> None:
    assert "hash" not in taken(tune(3, 2.0)).outputs
    time = np.arange(6 * RATE) / RATE
    steady = np.stack([0.3 * np.sin(2 * np.pi * 440 * time)] * 2).astype(np.float32)
    assert "hash" not in taken(steady).outputs
    assert soundhash.compare(np.zeros(0, np.uint32), words(taken(tune(3, 2.0)))).score == 0


def test_missing_sound_is_silence(taken: Taken) -> None:
    """So that what comes after it stays at its place."""
    sound = tune(4)[:1]
    small = sound[:, ::6]
    gappy = FingerprintReader()
    for start, end in ((0, 32000), (48000, small.shape[1])):
        gappy.update(Heard(start / 8000, 8000, "mono", small[:, start:end]))
    whole = FingerprintReader()
    whole.update(Heard(0.0, 8000, "mono", small))
    one, other = (soundhash.words_of(reader.energies()) for reader in (whole, gappy))
    assert len(one) == len(other)
    assert (one[60:] == other[60:]).mean() > 0.9
    assert soundhash.compare(one, other).offset_s == 0


def test_of_long_recordings_the_whole_is_an_artifact(tmp_path: Path) -> None:
    time = np.arange(int(24.5 * 60 * 4000)) / 4000
    wave = 0.3 * np.sin(2 * np.pi * (500 + 300 * np.sin(time / 7)) * time) * (1 + np.sin(time))
    path = write_sound(tmp_path / "long.wav", Sound(wave.astype(np.float32)[np.newaxis], 4000), "pcm_s16le")
    run = run_operator(AudioFingerprint(), path)
    whole = soundhash.unpack(run.artifact("fingerprint").data)
    assert run.artifact("fingerprint").media_type == MEDIA_TYPE
    assert len(whole) == run.outputs["count"] == pytest.approx(24.5 * 60 / 0.128, abs=2)
    assert (words(run) == whole[:MOST_WORDS]).all()
    assert len(run.outputs["fingerprint"]) < 64_000


def test_what_is_no_fingerprint_is_refused(taken: Taken) -> None:
    good = soundhash.pack(words(taken(tune(5))))
    for bad in (b"", good[:-1], b"X" + good[1:], good[:4] + b"\2" + good[5:]):
        with pytest.raises(LoomError, match="fingerprint"):
            soundhash.unpack(bad)


def test_films_without_sound_are_passed_over_and_broken_ones_refused(media: RealMedia, tmp_path: Path) -> None:
    assert run_operator(AudioFingerprint(), media.film("h264-silent")).state is State.SKIPPED
    broken = tmp_path / "broken.flac"
    broken.write_bytes(media.sound("flac").read_bytes()[:5000])
    with pytest.raises(LoomError) as caught:
        run_operator(AudioFingerprint(), broken)
    assert caught.value.code in ("FILE_DAMAGED", "FILE_TRUNCATED")
    whole = media.sound("ogg").read_bytes()
    broken.write_bytes(whole[: len(whole) * 3 // 4])
    match = soundhash.compare(
        words(run_operator(AudioFingerprint(), media.sound("ogg"))), words(run_operator(AudioFingerprint(), broken))
    )
    assert match.score > 0.8
