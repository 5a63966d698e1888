"""The signals and tolerances are those of EBU Tech 3341 (loudness, peaks) and EBU Tech 3342 (range)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from mediakit.recordings import Sound, write_sound
from realmedia import SOUNDS, RealMedia

from cortex.operators.sound.loudness import Loudness
from cortex.testing import run_operator
from loom.errors import LoomError
from loom.model import State

RATE = 48000


def _tone(decibels: float, seconds: float, frequency: float = 1000.0, phase: float = 0.0) -> npt.NDArray[np.float32]:
    """A sine in stereo, faded in over 10 ms."""
    time = np.arange(int(seconds * RATE)) / RATE
    wave = 10 ** (decibels / 20) * np.sin(2 * np.pi * frequency * time + phase) * np.minimum(time / 0.01, 1)
    return np.stack([wave, wave]).astype(np.float32)


def _measured(folder: Path, *parts: npt.NDArray[np.float32]) -> dict[str, Any]:
    path = write_sound(folder / "tone.wav", Sound(np.concatenate(parts, axis=1), RATE), "pcm_f32le")
    return run_operator(Loudness(), path).outputs


@pytest.mark.parametrize("decibels", [-23.0, -33.0])
def test_a_steady_tone(tmp_path: Path, decibels: float) -> None:
    found = _measured(tmp_path, _tone(decibels, 20))
    for name in ("integrated_lufs", "momentary_max_lufs", "short_term_max_lufs"):
        assert found[name] == pytest.approx(decibels, abs=0.1)
    assert found["range_lu"] == pytest.approx(0, abs=0.1)
    assert found["sample_peak_dbfs"] == pytest.approx(decibels, abs=0.05)
    assert found["silent"] is False


def test_quiet_parts_do_not_count(tmp_path: Path) -> None:
    found = _measured(tmp_path, _tone(-72, 10), _tone(-36, 10), _tone(-23, 60), _tone(-36, 10), _tone(-72, 10))
    assert found["integrated_lufs"] == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize(("quiet", "range_lu"), [(-30, 10), (-15, 5), (-40, 20)])
def test_the_range(tmp_path: Path, quiet: float, range_lu: float) -> None:
    found = _measured(tmp_path, _tone(-20, 20), _tone(quiet, 20))
    assert found["range_lu"] == pytest.approx(range_lu, abs=1)


def test_peaks_between_samples(tmp_path: Path) -> None:
    """A quarter of the sampling rate, 45 degrees off: no sample meets the top of the wave."""
    found = _measured(tmp_path, _tone(-6.0, 5, frequency=RATE / 4, phase=np.pi / 4))
    assert found["sample_peak_dbfs"] == pytest.approx(-9.0, abs=0.05)
    assert -6.4 <= found["true_peak_dbtp"] <= -5.8


def test_quiet_peaks_are_exact(tmp_path: Path) -> None:
    assert _measured(tmp_path, _tone(-60, 2))["true_peak_dbtp"] == pytest.approx(-60, abs=0.1)


def test_silence_has_no_loudness(tmp_path: Path) -> None:
    assert _measured(tmp_path, np.zeros((2, RATE), np.float32)) == {"silent": True}


def test_less_than_400_ms_has_no_loudness(tmp_path: Path) -> None:
    found = _measured(tmp_path, _tone(-20, 0.2))
    assert set(found) == {"silent", "true_peak_dbtp", "sample_peak_dbfs"}
    assert found["silent"] is False


def test_a_full_scale_sample_is_not_silent(tmp_path: Path) -> None:
    samples = np.zeros((2, RATE), np.float32)
    samples[:, 5000] = -1.0
    found = _measured(tmp_path, samples)
    assert (found["silent"], found["sample_peak_dbfs"]) == (False, 0.0)


def test_surround_channels_weigh_more_and_the_subwoofer_nothing(media: RealMedia) -> None:
    """The published film has sound in 5.1; mixed to stereo it is another."""
    surround = run_operator(Loudness(), media.films["bigbuckbunny"]).outputs
    stereo = run_operator(Loudness(), media.sound("flac")).outputs
    assert surround["integrated_lufs"] == pytest.approx(-34.0, abs=0.3)
    assert stereo["integrated_lufs"] == pytest.approx(-34, abs=6)
    assert stereo["integrated_lufs"] != surround["integrated_lufs"]


@pytest.mark.parametrize("name", SOUNDS)
def test_codecs_change_little(media: RealMedia, name: str) -> None:
    lossless = run_operator(Loudness(), media.sound("flac")).outputs
    found = run_operator(Loudness(), media.sound(name)).outputs
    assert found["integrated_lufs"] == pytest.approx(lossless["integrated_lufs"], abs=0.7)
    assert found["true_peak_dbtp"] == pytest.approx(lossless["true_peak_dbtp"], abs=2)


def test_what_has_no_sound_is_skipped(media: RealMedia) -> None:
    for path in (media.film("h264-silent"), media.photo(), media.paper("txt")):
        assert run_operator(Loudness(), path).state is State.SKIPPED


def test_files_that_are_refused(media: RealMedia, tmp_path: Path) -> None:
    path = tmp_path / "sound.m4a"
    path.write_bytes(media.sound("m4a").read_bytes()[:3000])
    with pytest.raises(LoomError) as caught:
        run_operator(Loudness(), path)
    assert caught.value.code == "FILE_TRUNCATED"


def test_a_recording_that_was_cut_off_is_measured_as_far_as_it_goes(media: RealMedia, tmp_path: Path) -> None:
    data = media.sound("flac").read_bytes()
    path = tmp_path / "sound.flac"
    path.write_bytes(data[: len(data) // 2])
    assert run_operator(Loudness(), path).outputs["integrated_lufs"] < -20
