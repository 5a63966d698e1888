from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mediakit.recordings import Sound, write_sound
from pydantic import ValidationError
from realmedia import SOUNDS, RealMedia

from cortex.media.speaker import Heard
from cortex.operators.sound.waveform import Waveform, WaveformReader
from cortex.testing import run_operator
from loom.errors import LoomError
from loom.model import State


def _stairs(folder: Path) -> Path:
    """1 s at 48 kHz in stereo: ten steps of growing loudness on the left, silence on the right."""
    left = np.repeat(np.arange(10) / 10, 4800) * np.resize([1, -0.5], 48000)
    return write_sound(folder / "stairs.wav", Sound(np.stack([left, left * 0]).astype(np.float32)), "pcm_f32le")


def _drawn(path: Path, **options: Any) -> dict[str, Any]:
    artifact = run_operator(Waveform(**options), path).artifact("waveform")
    assert artifact.media_type == "application/json"
    return dict(json.loads(artifact.data))


def test_points_hold_the_extremes(tmp_path: Path) -> None:
    drawn = _drawn(_stairs(tmp_path), points=10, channels="all", bits=16)
    values = np.array(drawn.pop("data")).reshape(10, 2, 2)
    shape = {"version": 2, "channels": 2, "sample_rate": 48000, "samples_per_pixel": 4800, "bits": 16, "length": 10}
    assert drawn == shape
    assert values[:, 0, 1] / 32767 == pytest.approx(np.arange(10) / 10, abs=0.001)
    assert values[:, 0, 0] / 32767 == pytest.approx(np.arange(10) / -20, abs=0.001)
    assert not values[:, 1].any()


def test_mixed_to_one(tmp_path: Path) -> None:
    drawn = _drawn(_stairs(tmp_path), points=10)
    assert (drawn["channels"], drawn["bits"], len(drawn["data"])) == (1, 8, 20)
    assert max(drawn["data"]) == pytest.approx(0.9 * 127 / 2, rel=0.5)


def test_binary_is_the_same(tmp_path: Path) -> None:
    path = _stairs(tmp_path)
    for bits, form in ((8, "b"), (16, "h")):
        run = run_operator(Waveform(points=10, channels="all", format="binary", bits=bits), path)
        data = run.artifact("waveform").data
        assert struct.unpack_from("<iIiiIi", data) == (2, int(bits == 8), 48000, 4800, 10, 2)
        values = struct.unpack_from(f"<40{form}", data, 24)
        assert list(values) == _drawn(path, points=10, channels="all", bits=bits)["data"]
        assert run.outputs["media_type"] == "application/octet-stream"


@pytest.mark.parametrize("name", [*SOUNDS, "film"])
def test_real_recordings(media: RealMedia, name: str) -> None:
    path = media.films["bigbuckbunny"] if name == "film" else media.sound(name)
    run = run_operator(Waveform(), path)
    assert run.outputs["points"] == pytest.approx(106, abs=4)
    assert (run.outputs["channels"], run.outputs["seconds_per_point"]) == (1, 0.05)
    values = np.array(json.loads(run.artifact("waveform").data)["data"]).reshape(-1, 2)
    assert (values[:, 0] <= values[:, 1]).all()
    assert values[:, 1].max() > 8


def _piece(time_s: float, samples: list[float]) -> Heard:
    return Heard(time_s, 10, "mono", np.array([samples], np.float32))


def test_missing_sound_is_silent() -> None:
    """Ten samples a second, two to a point; 1.3 s are missing."""
    reader = WaveformReader(5)
    reader.update(_piece(0.0, [1, 1, 1]))
    reader.update(_piece(1.6, [1, 1, 1, 1]))
    assert reader.peaks()[:, 0, 1].tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1][: len(reader.peaks())]
    assert reader.peaks()[:, 0, 0].tolist()[:3] == [1, 0, 0]
    assert len(reader.peaks()) == 10


def test_pieces_of_any_length_give_the_same() -> None:
    samples = np.random.default_rng(3).uniform(-1, 1, 997).astype(np.float32)
    whole, pieces = WaveformReader(3), WaveformReader(3)
    whole.update(_piece(0.0, samples.tolist()))
    at = 0
    for length in (1, 2, 3, 5, 8, 13, 400, 565):
        pieces.update(_piece(at / 10, samples[at : at + length].tolist()))
        at += length
    assert (whole.peaks() == pieces.peaks()).all()


def test_long_recordings_get_fewer_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cortex.operators.sound.waveform._MOST_POINTS", 100)
    reader = WaveformReader(10)
    samples = np.random.default_rng(3).uniform(-1, 1, 1001).astype(np.float32)
    for at in range(0, 1001, 7):
        reader.update(_piece(at / 10, samples[at : at + 7].tolist()))
    every = reader.samples_per_point
    assert every == 16
    wanted = [[samples[at : at + every].min(), samples[at : at + every].max()] for at in range(0, 1001, every)]
    assert reader.peaks()[:, 0] == pytest.approx(np.array(wanted), abs=1e-6)


def test_what_is_skipped_and_refused(media: RealMedia, tmp_path: Path) -> None:
    for path in (media.film("h264-silent"), media.photo()):
        assert run_operator(Waveform(), path).state is State.SKIPPED
    path = tmp_path / "sound.m4a"
    path.write_bytes(media.sound("m4a").read_bytes()[:3000])
    with pytest.raises(LoomError) as caught:
        run_operator(Waveform(), path)
    assert caught.value.code == "FILE_TRUNCATED"


@pytest.mark.parametrize("options", [{"points": 0}, {"points": 1001}, {"channels": "left"}, {"bits": 12}])
def test_options_that_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Waveform(**options)
